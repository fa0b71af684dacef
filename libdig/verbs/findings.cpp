#include "libdig/verbs/findings.h"

#include <cerrno>

namespace dig {

bool Findings::is_denied(const SystemError &error) { return error.error() == EACCES || error.error() == EPERM; }

void Findings::take_failure(const SystemError &error)
{
	if (error.error() == EMFILE || error.error() == ENFILE || error.error() == ENOMEM)
		throw error;
	if (!is_denied(error))
		return problem(error.what());
	result.unreadable++;
	if (options_.unreadable && told_unreadable_.insert(error.what()).second)
		options_.unreadable(error.what());
}

void Findings::problem(const std::string &text)
{
	result.problems++;
	options_.problem(text);
}

void Findings::notice(const std::string &text)
{
	if (options_.notice)
		options_.notice(text);
}

void Findings::damaged(const VerifyOptions::DamagedBlock &block)
{
	if (block.is_healed) {
		result.healed_blocks++;
	} else {
		result.damaged_blocks++;
		result.problems++;
	}
	if (options_.damaged)
		options_.damaged(block);
}

void Findings::hurt(const HurtPaths::Told &hurt)
{
	result.problems++;
	if (options_.hurt)
		options_.hurt(hurt);
}

} // namespace dig
