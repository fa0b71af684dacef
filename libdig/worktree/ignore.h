// .digignore: what add does not take.  Syntax and meaning are gitignore's, to the letter, so
// that a .gitignore copied under the new name leaves out the same files; digignore(5) has them,
// t2300 compares with git.
//
// There is no I/O here.  A walk reads the file ".digignore" of each directory that it enters
// (ignore_files; like git, it follows no symbolic link there) and hands over the bytes:
//
//     stack.push("", content of .digignore, or nothing);
//     for (each entry) {
//             if (stack.ignores(path, is_directory))
//                     continue;                       // and never descend into it
//             if (is_directory)
//                     stack.push(path, ...), walk it, stack.pop();
//     }
//
// The last rule of a file that matches decides, a deeper file outweighs those above it, and no
// rule can take back what lies below an ignored directory, because nobody looks there.
//
// Paths are relative to the work tree, '/' between components, without a trailing '/'; they
// need not be UTF-8 or storable.  A symbolic link is no directory, wherever it points.
#ifndef DIG_IGNORE_H
#define DIG_IGNORE_H

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/base/bytes.h"

namespace dig {

constexpr std::string_view ignore_file_name = ".digignore";

// Limits for all files that hold in one directory together.  Compiled, they take 60 MB at most.
constexpr std::size_t max_ignore_rules = 100000, max_ignore_bytes = 2_MiB;

// The rule that decides about a path.  The views live as long as the IgnoreFile that it is from.
struct IgnoreMatch {
	std::string_view file;    // its name, as "doc/.digignore"
	std::size_t line;         // from 1
	std::string_view pattern; // as written, with '!', without the trailing blanks that do not count
	bool is_negated;          // the rule says that the path is to be taken
};

// The rules of one file, compiled.  Several threads may match at once.
class IgnoreFile {
public:
	// The name is for messages; directory ("" is the work tree itself) is where the rules hold.
	// Any bytes are a valid file: a pattern that is malformed matches nothing, as in git.  Error
	// beyond the limits.
	IgnoreFile(std::string_view name, std::string_view directory, Bytes content);
	IgnoreFile(IgnoreFile &&) noexcept;
	IgnoreFile &operator=(IgnoreFile &&) noexcept;
	~IgnoreFile();

	bool is_empty() const;
	std::size_t rule_count() const;
	std::size_t byte_count() const;

	// The last rule that matches, nothing if none does or path is not below the directory.
	// Parent directories are not considered.  Time is at most (size of path)^2 times the number
	// of bytes of the file, whatever the patterns; plain names cost one look-up together.
	std::optional<IgnoreMatch> match(std::string_view path, bool is_directory) const;

private:
	struct Rules;
	std::unique_ptr<const Rules> rules_;
};

// The files that hold in the directory that a walker is in.  A copy is cheap and shares the
// compiled rules, so a walker may hand one to each of its threads.
class IgnoreStack {
public:
	// The outermost rules, weaker than those of any directory (a list that the user keeps for all
	// work trees, say); may be null.
	explicit IgnoreStack(std::shared_ptr<const IgnoreFile> outermost = nullptr);

	// Enters a directory; content is that of its .digignore, if it has one, and is copied.  Error
	// beyond the limits.
	void push(std::string_view directory, std::optional<Bytes> content = std::nullopt);
	// Leaves the directory that was entered last.
	void pop();
	// Directories entered and not yet left.
	std::size_t depth() const { return depth_; }

	// The rule that decides about an entry of the directory entered last, or nothing.  A match
	// that is negated means: take it.
	std::optional<IgnoreMatch> match(std::string_view path, bool is_directory) const;
	bool ignores(std::string_view path, bool is_directory) const
	{
		const std::optional<IgnoreMatch> found = match(path, is_directory);
		return found && !found->is_negated;
	}

private:
	struct Level {
		std::size_t depth; // of its directory; the outermost rules have 0
		std::shared_ptr<const IgnoreFile> file;
	};
	std::vector<Level> levels_; // of directories that have rules only
	std::size_t depth_ = 0;
};

// Answers for any path at all, as a walk from the top would: the first ignored directory on the
// way decides.  What it read for one path is kept for the next as far as their directories
// agree, so sorted paths are cheap.
class IgnoreLookup {
public:
	// Gives the content of directory's .digignore, or nothing where there is none.
	using Reader = std::function<std::optional<Buffer>(const std::string &directory)>;

	explicit IgnoreLookup(Reader reader, std::shared_ptr<const IgnoreFile> outermost = nullptr);

	// The match is good until the next call.  Its is_negated is true only if path itself (not a
	// directory above it) matched such a rule.  An empty path, the work tree, matches nothing.
	std::optional<IgnoreMatch> match(std::string_view path, bool is_directory);

private:
	void enter(std::string_view directory);

	Reader reader_;
	IgnoreStack stack_;
	std::string directory_;               // entered last
	std::optional<IgnoreMatch> excluded_; // the rule that keeps out of
	std::string excluded_directory_;      // this entry of directory_
};

} // namespace dig

#endif
