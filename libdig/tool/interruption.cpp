#include "libdig/tool/interruption.h"

#include "libdig/tool/command.h"

namespace dig {

InterruptionNotice::~InterruptionNotice()
{
	if (!interrupted() || std::uncaught_exceptions() == exceptions_)
		return;
	try {
		tell(text_());
	} catch (const std::exception &) {
		// A kindness: the end does not depend on it.
	}
}

} // namespace dig
