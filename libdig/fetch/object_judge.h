// Whether an answer is of the object that is fetched, and of the part that was asked for.
//
// The first answer says what the object is: its size, and a validator.  Every later one is held against
// this, and the first one against what an earlier run had taken.  So whatever servers and caches do, what
// is taken is of one object.
#ifndef DIG_OBJECT_JUDGE_H
#define DIG_OBJECT_JUDGE_H

#include "libdig/fetch/fetch_protocol.h"
#include "libdig/fetch/response_head.h"

namespace dig {

struct AskedPart {
	std::uint64_t begin = 0;
	std::optional<std::uint64_t> end; // nothing: to the end of the object
};

struct JudgedAnswer {
	enum class Kind : std::uint8_t {
		taken,
		refused, // an error of the server, whose body may say more
		anew,    // good for nothing; ask for everything in one answer
	};

	Kind kind = Kind::taken;
	std::uint64_t skipped = 0;        // so many bytes at its beginning come before the part
	std::optional<std::uint64_t> end; // where in the object its body ends; nothing: nobody knows
	bool is_whole = false;            // of the object, and not of a part
};

class ObjectJudge {
public:
	// max_size may be 0 for any.
	ObjectJudge(FetchRequest wanted, std::uint64_t max_size) : wanted_(std::move(wanted)), max_size_(max_size) {}

	// The head is complete.  Throws FetchError and ObjectChanged.
	JudgedAnswer judge(const ResponseHead &head, const AskedPart &asked);

	// What the first answer that was taken has told.
	const std::optional<FetchedObject> &known() const { return known_; }
	// Of the object, or of the one that an earlier run had begun with; may be empty.
	const std::string &validator() const { return known_ ? known_->validator : wanted_.validator; }
	bool has_ranges() const { return has_ranges_; }
	// Whether one answer has to bring everything.
	bool needs_one_answer() const { return is_anew_; }

private:
	JudgedAnswer judge_whole(const ResponseHead &head, const AskedPart &asked);
	JudgedAnswer judge_range(const ResponseHead &head, const AskedPart &asked);
	JudgedAnswer begin_anew();
	void learn(const ResponseHead &head, std::optional<std::uint64_t> size);

	FetchRequest wanted_;
	std::uint64_t max_size_;
	std::optional<FetchedObject> known_;
	bool has_ranges_ = false, is_anew_ = false;
};

} // namespace dig

#endif
