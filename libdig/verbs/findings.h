// What a check has found, counted and told.
#ifndef DIG_FINDINGS_H
#define DIG_FINDINGS_H

#include <set>

#include "libdig/base/error.h"
#include "libdig/os/process.h"
#include "libdig/verbs/verify.h"

namespace dig {

class Findings {
public:
	explicit Findings(const VerifyOptions &options) : options_(options) {}

	// Tells what check throws.  An error that says nothing about the store goes on: an interruption, or
	// what this process lacks.
	template <typename Check> void attempt(Check check)
	{
		try {
			check_interrupted();
			check();
		} catch (const Interrupted &) {
			throw;
		} catch (const SystemError &error) {
			take_failure(error);
		} catch (const Error &error) {
			problem(error.what());
		}
	}
	void problem(const std::string &text);
	void notice(const std::string &text);
	void damaged(const VerifyOptions::DamagedBlock &block);
	void hurt(const HurtPaths::Told &hurt);

	// Problems, and what may not be read.
	std::uint64_t count() const { return result.problems + result.unreadable; }
	static bool is_denied(const SystemError &error);

	VerifyResult result;

private:
	void take_failure(const SystemError &error);

	const VerifyOptions &options_;
	std::set<std::string> told_unreadable_;
};

} // namespace dig

#endif
