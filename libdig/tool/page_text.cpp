// A small reader of mdoc(7).  It has one pass over the lines and no tree.
//
// A line that begins with a dot is a macro with words, and the words may be macros, too: ".Op Fl z" is
// "[-z]".  Phrase renders such a line from left to right.  Some macros enclose what follows until the
// end of the line, so their closing marks wait in a list.  Ns joins its neighbours without a space.
// Punctuation at the end of a line stands behind the closing marks.
//
// PageText collects words into paragraphs and breaks them at the width.  Lists indent what belongs to
// them; displays are printed as they are.  dig-help prefers man and mandoc where they are installed, so
// the text has to be readable and need not be equal to theirs.
#include "libdig/tool/page_text.h"

#include <algorithm>
#include <array>
#include <vector>

namespace dig {

// As mandoc does it.
constexpr std::size_t section_indent = 5, subsection_indent = 3, display_indent = 6, default_tag_width = 6;

struct Word {
	std::string text;
	bool is_quoted = false;
};

// "\&" is nothing, "\e" a backslash, "\(dq" a quote; what else is escaped stands for itself.
static std::string without_escapes(std::string_view text)
{
	std::string plain;
	for (std::size_t at = 0; at < text.size(); at++) {
		if (text[at] != '\\' || at + 1 == text.size()) {
			plain += text[at];
			continue;
		}
		const char c = text[++at];
		if (c == '(') {
			plain += text.substr(at + 1, 2) == "dq" ? "\"" : "";
			at += 2;
		} else if (c == 'e') {
			plain += '\\';
		} else if (c != '&') {
			plain += c;
		}
	}
	return plain;
}

// A word in quotes may hold blanks, and is never a macro.
static std::vector<Word> words_of(std::string_view line)
{
	std::vector<Word> words;
	for (std::size_t at = 0; at < line.size();) {
		if (line[at] == ' ') {
			at++;
			continue;
		}
		const bool is_quoted = line[at] == '"';
		const std::size_t begin = at + is_quoted;
		const std::size_t end = std::min(line.find(is_quoted ? '"' : ' ', begin), line.size());
		words.push_back({std::string(line.substr(begin, end - begin)), is_quoted});
		at = end + is_quoted;
	}
	return words;
}

static bool is_one_of(std::string_view text, std::string_view characters)
{
	return text.size() == 1 && characters.find(text[0]) != characters.npos;
}

// The words of one line of macros, spaced.
class Phrase {
public:
	explicit Phrase(const std::string &page_name) : page_name_(page_name) {}

	std::string rendered(const std::vector<Word> &words)
	{
		std::size_t end = words.size();
		while (end > 0 && !words[end - 1].is_quoted && is_one_of(words[end - 1].text, ".,;:)?!"))
			end--;
		for (std::size_t at = 0; at < end; at++)
			take(words, at, end);
		close_all();
		for (std::size_t at = end; at < words.size(); at++)
			append(words[at].text, false);
		return text_;
	}

private:
	void append(std::string_view text, bool is_spaced = true)
	{
		if (is_spaced && !text_.empty() && !glues_)
			text_ += ' ';
		text_ += text;
		glues_ = false;
	}

	void enclose(const char *before, const char *after)
	{
		append(before);
		glues_ = true;
		closing_.emplace_back(after);
	}

	void close_all()
	{
		for (; !closing_.empty(); closing_.pop_back())
			append(closing_.back(), false);
	}

	void take(const std::vector<Word> &words, std::size_t &at, std::size_t end)
	{
		static constexpr std::array plain{"Ar", "Cm", "Pa", "Li", "Ev", "Va", "Em", "No"};
		const std::string &word = words[at].text;
		const bool is_macro = !words[at].is_quoted;
		const auto is = [&](const char *name) { return is_macro && word == name; };
		if (is("Fl")) {
			is_option_ = true;
			if (at + 1 == end || words[at + 1].text == "Ns" || words[at + 1].text == "Op")
				append("-");
			return;
		}
		if (is_macro && std::find(plain.begin(), plain.end(), word) != plain.end())
			is_option_ = false;
		else if (is("Ns")) {
			glues_ = true;
			is_option_ = false;
		} else if (is("Op"))
			enclose("[", "]");
		else if (is("Ql") || is("Sq"))
			enclose("'", "'");
		else if (is("Pq"))
			enclose("(", ")");
		else if (is("Qq") || is("Dq"))
			enclose("\"", "\"");
		else if (is("Nm")) {
			if (at + 1 == end)
				append(page_name_);
		} else if (is("Xr") && at + 2 < end + 1 && at + 1 < words.size()) {
			append(without_escapes(words[at + 1].text) +
				(at + 2 < words.size() ? "(" + words[at + 2].text + ")" : ""));
			at += 2;
		} else
			append_text(words[at]);
	}

	void append_text(const Word &word)
	{
		const bool is_mark = !word.is_quoted && is_one_of(word.text, ".,;:)?!");
		const bool is_bar = word.text == "|";
		append((is_option_ && !is_mark && !is_bar ? "-" : "") + without_escapes(word.text), !is_mark);
		if (!word.is_quoted && is_one_of(word.text, "(["))
			glues_ = true;
	}

	const std::string &page_name_;
	std::string text_;
	std::vector<std::string> closing_;
	bool glues_ = false, is_option_ = false;
};

class PageText {
public:
	explicit PageText(std::size_t columns) : columns_(std::clamp<std::size_t>(columns, 40, 80)) {}

	std::string of(std::string_view page)
	{
		while (!page.empty()) {
			const std::size_t end = std::min(page.find('\n'), page.size());
			line(page.substr(0, end));
			page.remove_prefix(std::min(end + 1, page.size()));
		}
		end_paragraph();
		return out_;
	}

private:
	struct List {
		enum class Kind { tag, bullet, number, column } kind = Kind::tag;
		std::size_t width = default_tag_width, indent = 0, item = 0;
		bool is_compact = false;
		std::vector<std::size_t> columns;
	};

	void line(std::string_view text)
	{
		if (text.empty() || text[0] != '.') {
			if (is_literal_)
				put(text.empty() ? "" : std::string(indent_, ' ') + without_escapes(text));
			else if (!text.empty())
				paragraph_.push_back(without_escapes(text));
			return;
		}
		const std::size_t space = std::min(text.find(' '), text.size());
		macro(std::string(text.substr(1, space - 1)), text.substr(space));
	}

	void macro(const std::string &name, std::string_view rest)
	{
		std::vector<Word> words = words_of(rest);
		if (name == "Dd" || name == "Dt" || name == "Os")
			return;
		if (name == "Sh" || name == "Ss")
			heading(rest, name == "Sh");
		else if (name == "Pp")
			end_paragraph(true);
		else if (name == "Nd")
			paragraph_.push_back("- " + without_escapes(rest.substr(std::min<std::size_t>(1, rest.size()))));
		else if (name == "Nm" && is_synopsis_)
			synopsis_form(words);
		else if (name == "Dl")
			display_line(words);
		else if (name == "Bd" || name == "Ed")
			display(name == "Bd", words);
		else if (name == "Bl")
			begin_list(words);
		else if (name == "El")
			end_list();
		else if (name == "It")
			item(words);
		else {
			words.insert(words.begin(), Word{name});
			if (name == "Nm" && words.size() > 1 && page_name_.empty()) {
				page_name_ = words[1].text;
				words.erase(words.begin() + 1);
			}
			const std::string phrase = Phrase(page_name_).rendered(words);
			if (is_literal_)
				put(std::string(indent_, ' ') + phrase);
			else
				paragraph_.push_back(phrase);
		}
	}

	void heading(std::string_view rest, bool is_section)
	{
		end_paragraph(true);
		lists_.clear();
		const std::string title(rest.substr(std::min<std::size_t>(1, rest.size())));
		put((is_section ? "" : std::string(subsection_indent, ' ')) + title);
		is_synopsis_ = is_section && title == "SYNOPSIS";
		indent_ = section_indent;
		is_fresh_ = true;
	}

	// Each form begins with the name, and its further lines stand below its first word.
	void synopsis_form(std::vector<Word> &words)
	{
		end_paragraph();
		hanging_ = page_name_.size() + 1;
		words.insert(words.begin(), Word{"Nm"});
		paragraph_.push_back(Phrase(page_name_).rendered(words));
	}

	void display_line(const std::vector<Word> &words)
	{
		end_paragraph();
		std::string text;
		for (const Word &word : words)
			text += (text.empty() ? "" : " ") + (word.is_quoted ? '"' + without_escapes(word.text) + '"'
				: without_escapes(word.text));
		put(std::string(indent_ + display_indent, ' ') + text);
	}

	void display(bool begins, const std::vector<Word> &words)
	{
		end_paragraph(begins);
		const bool is_indented = std::any_of(
			words.begin(), words.end(), [](const Word &word) { return word.text == "indent"; });
		if (begins) {
			display_offset_ = is_indented ? display_indent : 0;
			indent_ += display_offset_;
		} else {
			indent_ -= std::min(indent_, display_offset_);
		}
		is_literal_ = begins;
	}

	void begin_list(const std::vector<Word> &words)
	{
		end_paragraph();
		List list;
		list.indent = indent_;
		for (std::size_t i = 0; i < words.size(); i++) {
			const std::string &word = words[i].text;
			if (word == "-bullet" || word == "-enum") {
				list.kind = word == "-enum" ? List::Kind::number : List::Kind::bullet;
				list.width = 4;
			} else if (word == "-width" && i + 1 < words.size() && words[++i].text != "Ds") {
				list.width = words[i].text.size() + 2;
			} else if (word == "-offset") {
				i++;
				list.indent += display_indent;
			} else if (word == "-compact") {
				list.is_compact = true;
			} else if (word == "-column") {
				list.kind = List::Kind::column;
				list.is_compact = true;
			} else if (list.kind == List::Kind::column) {
				list.columns.push_back(word.size() + 2);
			}
		}
		if (list.is_compact && !is_fresh_)
			blank();
		lists_.push_back(std::move(list));
	}

	void end_list()
	{
		end_paragraph();
		if (lists_.empty())
			return;
		// "-offset" belongs to the list alone.
		indent_ = lists_.back().indent;
		lists_.pop_back();
		if (!lists_.empty())
			indent_ = lists_.back().indent + lists_.back().width;
		else
			indent_ = section_indent;
	}

	void item(const std::vector<Word> &words)
	{
		end_paragraph();
		if (lists_.empty())
			return;
		List &list = lists_.back();
		if (!list.is_compact)
			blank();
		list.item++;
		indent_ = list.indent;
		std::string tag = list.kind == List::Kind::bullet ? "*" : std::to_string(list.item) + ".";
		if (list.kind == List::Kind::column) {
			put(std::string(indent_, ' ') + in_columns(words, list.columns));
			return;
		}
		if (list.kind == List::Kind::tag)
			tag = Phrase(page_name_).rendered(words);
		indent_ += list.width;
		// A tag that is too wide stands in a line of its own.
		if (tag.size() + 1 < list.width)
			tag_ = tag + std::string(list.width - tag.size(), ' ');
		else
			put(std::string(list.indent, ' ') + tag);
	}

	std::string in_columns(const std::vector<Word> &words, const std::vector<std::size_t> &widths)
	{
		std::string text;
		std::vector<Word> cell;
		std::size_t column = 0, end = 0;
		for (const Word &word : words) {
			if (word.text != "Ta") {
				cell.push_back(word);
				continue;
			}
			text += Phrase(page_name_).rendered(cell);
			cell.clear();
			end += column < widths.size() ? widths[column++] : 0;
			text.resize(std::max(text.size() + 1, end), ' ');
		}
		return text + Phrase(page_name_).rendered(cell);
	}

	// Fills what has come together into lines.
	void end_paragraph(bool has_blank = false)
	{
		std::string line = tag_.empty() ? std::string(indent_, ' ')
			: std::string(indent_ - std::min(indent_, tag_.size()), ' ') + tag_;
		bool is_empty = tag_.empty();
		const std::size_t further = indent_ + hanging_;
		std::size_t words_in_line = 0;
		for (const std::string &piece : paragraph_)
			for (std::size_t at = 0; at < piece.size();) {
				const std::size_t end = std::min(piece.find(' ', at), piece.size());
				const std::string word = piece.substr(at, end - at);
				at = end + 1;
				if (word.empty())
					continue;
				// mandoc leaves two columns free, too.
				if (words_in_line && line.size() + 1 + word.size() > columns_ - 2) {
					put(line);
					line = std::string(further, ' ');
					words_in_line = 0;
				}
				line += (words_in_line++ ? " " : "") + word;
				is_empty = false;
			}
		if (!is_empty)
			put(line);
		paragraph_.clear();
		tag_.clear();
		hanging_ = 0;
		if (has_blank)
			blank();
	}

	void blank()
	{
		if (!out_.empty() && !out_.ends_with("\n\n") && !is_fresh_)
			out_ += '\n';
	}

	void put(const std::string &line)
	{
		out_ += line;
		out_.erase(out_.find_last_not_of(' ') + 1);
		out_ += '\n';
		is_fresh_ = false;
	}

	std::size_t columns_;
	std::string out_, page_name_, tag_;
	std::vector<std::string> paragraph_;
	std::vector<List> lists_;
	std::size_t indent_ = 0, hanging_ = 0, display_offset_ = 0;
	bool is_literal_ = false, is_synopsis_ = false, is_fresh_ = false;
};

std::string page_text(std::string_view page, std::size_t columns) { return PageText(columns).of(page); }

} // namespace dig
