// The command line of a tool.  Only options.cpp includes Boost.Program_options.
//
//     Options options(usage, argc, argv);          // command.h's run() does this
//     options.flag("", 'z', nul, "end records with NUL")
//         .value("target", 0, target, "SIZE", "mean chunk size")
//         .positional(files);
//     options.parse();
//
// Options and operands may be mixed, and "--" ends the options.  "--name=value" and "--name value"
// are the same.  If an option is given twice, the last one counts.  There are no abbreviations.
// Every tool has --help, -h, --version, -q and the hidden --list-options, which completions use.
#ifndef DIG_OPTIONS_H
#define DIG_OPTIONS_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdig/base/byte_range.h"
#include "libdig/base/error.h"

namespace dig {

// Thrown by parse() for --help, -h, --version and --list-options.  The text goes to stdout, and the
// tool ends with status 0.
struct InformationRequest {
	std::string text;
};

class Options {
public:
	// usage is the SYNOPSIS of the tool's page, with a line for each form.
	Options(std::string usage, int argc, char **argv);

	// An option may lack a name ("") or a letter (0), but not both.  A variable that is passed
	// by reference must live until parse(), and keeps its value if the option is not given.
	Options &flag(const char *name, char letter, bool &given, const char *help);
	// One of several flags that set the same variable: the last given counts.
	Options &flag(const char *name, char letter, std::function<void()> given, const char *help);

	// argument is its name on the page: "FILE", "SIZE".
	Options &value(const char *name, char letter, std::string &value, const char *argument,
		const char *help);
	Options &value(const char *name, char letter, std::optional<std::string> &value,
		const char *argument, const char *help);
	// A whole number.
	Options &value(const char *name, char letter, std::uint64_t &value, const char *argument,
		const char *help);
	Options &value(const char *name, char letter, std::optional<std::uint64_t> &value,
		const char *argument, const char *help);
	Options &value(const char *name, char letter, std::optional<ByteRange> &value,
		const char *argument, const char *help);
	// A size as parse_size() takes it: "64KB".
	Options &size(const char *name, char letter, std::uint64_t &value, const char *argument,
		const char *help);
	Options &size(const char *name, char letter, std::optional<std::uint64_t> &value,
		const char *argument, const char *help);
	// For all other types.  take gets the text, and throws a UsageError if it is wrong.
	Options &value(const char *name, char letter, std::function<void(const std::string &)> take,
		const char *argument, const char *help);

	// May be given many times.
	Options &list(const char *name, char letter, std::vector<std::string> &values,
		const char *argument, const char *help);

	// As "--progress" and "--progress=WHEN", but not "--progress WHEN".  It needs a name and
	// cannot have a letter.  Given without a value, it is the empty string.
	Options &optional_value(const char *name, char letter, std::optional<std::string> &value,
		const char *argument, const char *help);

	// The operands, which are no options.  parse() throws a UsageError if there are fewer than
	// least or more than most, or if there is any without this call.
	Options &positional(std::vector<std::string> &values, std::size_t least = 0,
		std::size_t most = SIZE_MAX);

	// Throws a UsageError or an InformationRequest.
	void parse();

	const std::string &usage() const { return usage_; }

	// Whether -q was given, which every tool has.
	bool is_quiet() const { return is_quiet_; }

private:
	enum class Kind : std::uint8_t { flag, value, optional_value };
	struct Option {
		std::string name;
		char letter;
		Kind kind;
		std::function<void(const std::string &)> take;
		std::string argument, help;

		std::string spelling() const; // "--name", else "-x"
	};

	Options &add(const char *name, char letter, Kind kind,
		std::function<void(const std::string &)> take, const char *argument, const char *help);
	void take(const std::string &key, const std::vector<std::string> &values);
	std::vector<std::string> with_empty_values() const;
	std::string help_text() const;
	std::string names_text() const;

	std::string usage_;
	std::vector<std::string> arguments_;
	std::vector<Option> options_;
	std::vector<std::string> *operands_ = nullptr;
	std::size_t least_operands_ = 0, most_operands_ = 0;
	bool is_quiet_ = false;
};

} // namespace dig

#endif
