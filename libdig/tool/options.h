// The command line of one tool.  Boost.Program_options is seen only in options.cpp.
//
//     Options options(usage, argc, argv);          // command.h's run() does this
//     options.flag("", 'z', nul, "end records with NUL")
//         .value("target", 0, target, "SIZE", "mean chunk size")
//         .positional(files);
//     options.parse();
//
// Options and operands may be mixed; "--" ends the options; "--name=value" and "--name value"
// are the same; the last of two equal options counts; nothing is abbreviated.  Every tool has
// --help, -h, --version, -q and, for completions, the hidden --list-options.
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

// Thrown by parse() for --help and its kin: text goes to stdout and the tool ends with 0.
struct InformationRequest {
	std::string text;
};

class Options {
public:
	// usage is the SYNOPSIS of the tool's page, a line for each form.
	Options(std::string usage, int argc, char **argv);

	// A name may be empty and a letter 0, but not both.  What is passed by reference must live
	// until parse(), and keeps its value when the option is not given.
	Options &flag(const char *name, char letter, bool &given, const char *help);
	// One of several flags that set the same variable: the last given counts.
	Options &flag(const char *name, char letter, std::function<void()> given, const char *help);

	// argument is how the page calls it: "FILE", "SIZE".
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
	// "64KB", as in settings.h.
	Options &size(const char *name, char letter, std::uint64_t &value, const char *argument,
		const char *help);
	Options &size(const char *name, char letter, std::optional<std::uint64_t> &value,
		const char *argument, const char *help);
	// For all other types: take gets the text, and throws UsageError when it is wrong.
	Options &value(const char *name, char letter, std::function<void(const std::string &)> take,
		const char *argument, const char *help);

	// May be given many times.
	Options &list(const char *name, char letter, std::vector<std::string> &values,
		const char *argument, const char *help);

	// "--progress" and "--progress=WHEN", but not "--progress WHEN"; a name is needed, a letter
	// does not work.  An empty string is the option without its value.
	Options &optional_value(const char *name, char letter, std::optional<std::string> &value,
		const char *argument, const char *help);

	// What is no option.  Without this call, or when there are more than most or fewer than
	// least of them, parse() throws UsageError.
	Options &positional(std::vector<std::string> &values, std::size_t least = 0,
		std::size_t most = SIZE_MAX);

	// Throws UsageError or InformationRequest.
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
