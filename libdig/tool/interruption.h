// What is said when a signal ends a command that has done a part of its work.
#ifndef DIG_INTERRUPTION_H
#define DIG_INTERRUPTION_H

#include <exception>
#include <functional>
#include <string>

namespace dig {

// Tells the text when Interrupted leaves the scope that this stands in: at once, before destructors of
// what was declared earlier wait for anything.
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
