// What differs between two states, or a state and the work tree, as lists show it.
//
//     names   M TAB notes.txt
//     stat    M     1.20 KiB     3.40 KiB  notes.txt  (mode 0644 -> 0755)
//             1 path: 1 modified; 3.40 KiB, was 1.20 KiB
//     json    {"schema":1,"status":"M","path":"notes.txt","changed":["content","mode"],"old":{...},"new":{...}}
#ifndef DIG_CHANGE_LIST_H
#define DIG_CHANGE_LIST_H

#include <map>

#include "libdig/tool/records.h"
#include "libdig/verbs/work_diff.h"

namespace dig {

class ChangeList {
public:
	enum class Form : std::uint8_t { none, names, stat, json };
	struct Look {
		Form form = Form::names;
		Detail detail = Detail::apart;
		bool is_exact = false; // sizes in bytes
		bool is_nul = false;
		std::string indent;    // in front of each line of stat
	};

	ChangeList(Output &out, Look look) : out_(out), look_(std::move(look)) {}

	// Null where the side lacks the path.  Entries whose content differs have other file roots.
	void add(const Entry *before, const Entry *after);
	// The sum, for stat.
	void finish();
	bool is_empty() const { return count_ == 0; }

	// The object of one change, without "schema".
	static std::string json(const Entry *before, const Entry *after);

private:
	void add_stat(Difference difference, const Entry *before, const Entry *after);
	std::string size(std::uint64_t bytes) const;

	Output &out_;
	Look look_;
	std::uint64_t count_ = 0, bytes_before_ = 0, bytes_after_ = 0;
	std::map<Difference, std::uint64_t> counts_;
};

} // namespace dig

#endif
