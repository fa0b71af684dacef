// A notice for commands that a signal ends in the middle of their work.
#ifndef DIG_INTERRUPTION_H
#define DIG_INTERRUPTION_H

#include <exception>
#include <functional>
#include <string>

namespace dig {

// Prints the text when Interrupted leaves the scope of this object.  Declare it last: it then
// prints before the destructors of other objects wait for anything.
class InterruptionNotice {
public:
	explicit InterruptionNotice(std::function<std::string()> text) : text_(std::move(text)) {}
	~InterruptionNotice();
	InterruptionNotice(const InterruptionNotice &) = delete;

private:
	std::function<std::string()> text_;
	int exceptions_ = std::uncaught_exceptions();
};

} // namespace dig

#endif
