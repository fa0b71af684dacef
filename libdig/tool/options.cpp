// Boost.Program_options parses the command line, and this file hides where it is not what users of git
// expect:
//
//  * Its maps of typed values would need boost::any and an instantiation for each type.  Here every
//    value is text for Boost, and a function that was registered with the option takes it.
//  * "--name=" is an error in Boost, and an option with an optional value takes the next argument for
//    it.  Both get an empty argument of their own before Boost sees them (with_empty_values).
//  * It guesses options from their first letters.  That is off: a script that relies on a short form
//    breaks when a later version has a second option that begins so.
//  * It takes 25 microseconds for an argument, which is too much for 100,000 paths from xargs.  All
//    arguments behind the last option are operands, and Boost does not see them.
#include "libdig/tool/options.h"

#include <algorithm>
#include <iterator>
#include <charconv>
#include <utility>

#include <boost/program_options.hpp>

#include "libdig/base/byte_size.h"
#include "libdig/base/suggestion.h"
#include "libdig/format/settings.h"

#ifndef DIG_VERSION
#define DIG_VERSION "unknown"
#endif

namespace dig {

namespace po = boost::program_options;

static constexpr std::size_t line_width = 80;
static constexpr std::size_t help_column = 26;

std::string Options::Option::spelling() const
{
	return name.empty() ? std::string("-") + letter : "--" + name;
}

Options::Options(std::string usage, int argc, char **argv) : usage_(std::move(usage))
{
	for (int i = 1; i < argc; i++)
		arguments_.emplace_back(argv[i]);
}

Options &Options::add(const char *name, char letter, Kind kind,
	std::function<void(const std::string &)> take, const char *argument, const char *help)
{
	options_.push_back({name, letter, kind, std::move(take), argument, help});
	return *this;
}

Options &Options::flag(const char *name, char letter, bool &given, const char *help)
{
	return flag(name, letter, [&given]() { given = true; }, help);
}

Options &Options::flag(const char *name, char letter, std::function<void()> given,
	const char *help)
{
	return add(name, letter, Kind::flag, [given](const std::string &) { given(); }, "", help);
}

Options &Options::value(const char *name, char letter,
	std::function<void(const std::string &)> take, const char *argument, const char *help)
{
	return add(name, letter, Kind::value, std::move(take), argument, help);
}

// For a variable of any type that text can be assigned to.
template <typename T> static auto assign_text(T &value)
{
	return [&value](const std::string &text) { value = text; };
}

// For parsers that return an optional; wanted describes what they accept.
template <typename T, typename Parse>
static auto assign_parsed(T &value, Parse parse, const char *wanted)
{
	return [&value, parse, wanted](const std::string &text) {
		const auto parsed = parse(text);
		if (!parsed)
			throw UsageError(quote(text) + " is " + wanted);
		value = *parsed;
	};
}

static std::optional<std::uint64_t> parse_count(std::string_view text)
{
	std::uint64_t count = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
	if (error != std::errc() || end != text.data() + text.size())
		return {};
	return count;
}

static constexpr char no_count[] = "no whole number";
static constexpr char no_size[] = "no size such as 65536, 64KB or 2GB";
static constexpr char no_range[] = "no byte range such as 0-99, 100- or -50";

Options &Options::value(const char *name, char letter, std::string &value, const char *argument,
	const char *help)
{
	return add(name, letter, Kind::value, assign_text(value), argument, help);
}

Options &Options::value(const char *name, char letter, std::optional<std::string> &value,
	const char *argument, const char *help)
{
	return add(name, letter, Kind::value, assign_text(value), argument, help);
}

Options &Options::value(const char *name, char letter, std::uint64_t &value, const char *argument,
	const char *help)
{
	return this->value(name, letter, assign_parsed(value, parse_count, no_count), argument, help);
}

Options &Options::value(const char *name, char letter, std::optional<std::uint64_t> &value,
	const char *argument, const char *help)
{
	return this->value(name, letter, assign_parsed(value, parse_count, no_count), argument, help);
}

Options &Options::value(const char *name, char letter, std::optional<ByteRange> &value,
	const char *argument, const char *help)
{
	return this->value(name, letter, assign_parsed(value, parse_byte_range, no_range), argument,
		help);
}

Options &Options::size(const char *name, char letter, std::uint64_t &value, const char *argument,
	const char *help)
{
	return this->value(name, letter, assign_parsed(value, parse_size, no_size), argument, help);
}

Options &Options::size(const char *name, char letter, std::optional<std::uint64_t> &value,
	const char *argument, const char *help)
{
	return this->value(name, letter, assign_parsed(value, parse_size, no_size), argument, help);
}

Options &Options::list(const char *name, char letter, std::vector<std::string> &values,
	const char *argument, const char *help)
{
	return value(name, letter, [&values](const std::string &text) { values.push_back(text); },
		argument, help);
}

Options &Options::optional_value(const char *name, char letter, std::optional<std::string> &value,
	const char *argument, const char *help)
{
	return add(name, letter, Kind::optional_value, assign_text(value), argument, help);
}

Options &Options::positional(std::vector<std::string> &values, std::size_t least,
	std::size_t most)
{
	operands_ = &values;
	least_operands_ = least;
	most_operands_ = most;
	return *this;
}

// key is as Boost reports it: the long name, or "-x" where there is none.
void Options::take(const std::string &key, const std::vector<std::string> &values)
{
	for (const Option &option : options_) {
		if (key != option.name && key != option.spelling())
			continue;
		is_quiet_ |= option.letter == 'q';
		try {
			option.take(values.empty() ? std::string() : values.back());
		} catch (const UsageError &error) {
			throw UsageError(option.spelling() + ": " + error.what());
		}
		return;
	}
}

// Boost refuses "--name=", and takes the next argument as the value of a bare "--progress", but
// is content with an empty argument after either.  "--=x" it takes for an operand.
std::vector<std::string> Options::with_empty_values() const
{
	std::vector<std::string> arguments;
	bool options_ended = false;
	for (const std::string &argument : arguments_) {
		options_ended = options_ended || argument == "--";
		if (!options_ended && argument.compare(0, 3, "--=") == 0)
			throw UsageError("unknown option " + quote(argument));
		const auto lacks_value = [&](const Option &option) {
			const bool is_bare = option.kind == Kind::optional_value && argument == option.spelling();
			return is_bare || (option.kind != Kind::flag && argument == option.spelling() + "=");
		};
		const auto option = std::find_if(options_.begin(), options_.end(), lacks_value);
		if (options_ended || option == options_.end() || option->name.empty()) {
			arguments.push_back(argument);
			continue;
		}
		arguments.push_back(option->spelling());
		arguments.emplace_back();
	}
	return arguments;
}

// What Boost makes of the command line: options and operands in their order.
static std::vector<po::option> parsed(const std::vector<std::string> &arguments,
	const po::options_description &description)
{
	// All of its UNIX style but guessing.
	const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
	try {
		return po::command_line_parser(arguments).options(description).style(style).run().options;
	} catch (const po::unknown_option &error) {
		const std::string name = error.get_option_name();
		std::vector<std::string> names;
		for (const auto &option : description.options())
			if (!option->long_name().empty())
				names.push_back("--" + option->long_name());
		const std::string asked = name.substr(0, name.find('='));
		throw UsageError("unknown option " + quote(name) + (asked.size() > 3 ? did_you_mean(asked, names) : ""));
	} catch (const po::error &error) {
		throw UsageError(error.what());
	}
}

void Options::parse()
{
	const auto ask = [](std::string text) {
		return [text](const std::string &) { throw InformationRequest{text}; };
	};
	if (std::none_of(options_.begin(), options_.end(), [](const Option &option) { return option.letter == 'q'; }))
		flag("quiet", 'q', is_quiet_, "no summary at the end, no progress");
	add("help", 'h', Kind::flag, ask(""), "", "show this help");
	add("version", 0, Kind::flag, ask("dig " DIG_VERSION "\n"), "", "show the version");
	options_[options_.size() - 2].take = ask(help_text());
	const std::string names = names_text();
	add("list-options", 0, Kind::flag, ask(names), "", "");

	po::options_description description;
	for (const Option &option : options_) {
		auto *semantic = po::value<std::string>();
		if (option.kind == Kind::flag)
			semantic->zero_tokens();
		const std::string letter = option.letter ? std::string(",") + option.letter : "";
		description.add_options()((option.name + letter).c_str(), semantic, "");
	}
	// Boost takes 25 microseconds an argument.  What has no option behind it, and is not the first
	// thing behind one, is an operand.
	const auto is_option = [](const std::string &argument) { return argument.starts_with('-'); };
	const auto last = std::find_if(arguments_.rbegin(), arguments_.rend(), is_option).base();
	const auto rest = last == arguments_.end() ? last : last + 1;
	const std::vector<std::string> more(std::make_move_iterator(rest), std::make_move_iterator(arguments_.end()));
	arguments_.erase(rest, arguments_.end());
	std::vector<std::string> operands;
	for (const po::option &option : parsed(with_empty_values(), description)) {
		if (option.string_key.empty())
			operands.insert(operands.end(), option.value.begin(), option.value.end());
		else
			take(option.string_key, option.value);
	}
	operands.insert(operands.end(), more.begin(), more.end());
	if (operands.size() > most_operands_)
		throw UsageError("unexpected argument " + quote(operands[most_operands_]));
	if (operands.size() < least_operands_)
		throw UsageError(operands.empty() ? "arguments are missing" : "an argument is missing");
	if (operands_)
		*operands_ = std::move(operands);
}

// Appends the words of help from column on, further lines indented likewise.
static void append_wrapped(std::string &text, const std::string &help, std::size_t column)
{
	std::size_t at = column;
	for (std::size_t start = 0; start < help.size();) {
		const std::size_t end = std::min(help.find(' ', start), help.size());
		const std::string word = help.substr(start, end - start);
		if (at > column && at + 1 + word.size() > line_width) {
			text += '\n' + std::string(column, ' ');
			at = column;
		}
		if (at > column) {
			text += ' ';
			at++;
		}
		text += word;
		at += word.size();
		start = end + 1;
	}
	text += '\n';
}

std::string Options::help_text() const
{
	std::string text = usage_ + "\n\n";
	for (const Option &option : options_) {
		std::string left = "  ";
		left += option.letter ? std::string("-") + option.letter : "  ";
		if (!option.name.empty())
			left += (option.letter ? ", --" : "  --") + option.name;
		if (option.kind == Kind::optional_value)
			left += "[=" + option.argument + "]";
		else if (option.kind == Kind::value)
			left += (option.name.empty() ? " " : "=") + option.argument;
		if (left.size() + 2 > help_column)
			left += '\n' + std::string(help_column, ' ');
		else
			left.resize(help_column, ' ');
		text += left;
		append_wrapped(text, option.help, help_column);
	}
	return text;
}

std::string Options::names_text() const
{
	std::string text;
	for (const Option &option : options_) {
		if (option.letter)
			text += std::string("-") + option.letter + '\n';
		if (!option.name.empty())
			text += "--" + option.name + '\n';
	}
	return text;
}

} // namespace dig
