// Policies (c2sp.org/tlog-policy): which logs and witnesses are believed, and how many of them.
//
//     log <vkey> [<url>]
//     witness <name> <vkey> [<url>]
//     group <name> <number>|any|all <member>...
//     quorum <name>|none
#ifndef DIG_POLICY_H
#define DIG_POLICY_H

#include "libdig/proof/signed_note.h"

namespace dig {

class Policy {
public:
	// Error, with the number of the line, for what is none.
	static Policy parse(std::string_view text, std::string_view name);

	// The names of logs and witnesses that have signed.  UnprovedError if they are not enough.
	std::vector<std::string> check(const SignedNote &note, std::string_view origin) const;

private:
	// A witness, or a group of those before it.
	struct Member {
		std::string name;
		std::optional<VerifierKey> key;
		std::vector<std::size_t> members;
		std::size_t threshold = 0;
	};
	std::optional<std::size_t> find(std::string_view name) const;
	void add_line(const std::vector<std::string_view> &words);
	void add_key(const VerifierKey &key) const;

	std::vector<VerifierKey> logs_;
	std::vector<Member> members_;
	std::optional<std::size_t> quorum_; // nothing: none
	bool has_quorum_ = false;
};

} // namespace dig

#endif
