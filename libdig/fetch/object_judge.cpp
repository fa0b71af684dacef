#include "libdig/fetch/object_judge.h"

#include <algorithm>

namespace dig {

static constexpr char changed[] = "it has changed since a part of it was taken";
static constexpr char shorter[] = "it is shorter than what was taken of it before";

JudgedAnswer ObjectJudge::judge(const ResponseHead &head, const AskedPart &asked)
{
	const int status = head.status();
	if (status == 412)
		throw ObjectChanged(changed);
	if (status == 416) {
		// An object without a byte has no first part.
		if (!known_ && asked.begin == 0 && !is_anew_)
			return begin_anew();
		throw ObjectChanged(shorter);
	}
	if (status != 200 && status != 206)
		return {JudgedAnswer::Kind::refused, 0, {}, false};
	if (!validator().empty() && !head.is_of(validator()))
		throw ObjectChanged(changed);
	return status == 200 ? judge_whole(head, asked) : judge_range(head, asked);
}

// The server has no ranges, or not for this object.
JudgedAnswer ObjectJudge::judge_whole(const ResponseHead &head, const AskedPart &asked)
{
	if (has_ranges_)
		throw FetchError("the server answers with the whole object to a request for a part", true);
	if (!head.length() && !head.is_chunked())
		throw FetchError("the server tells no size, so that a connection that is cut would look like the end");
	if (head.length() && *head.length() < asked.begin)
		throw ObjectChanged(shorter);
	learn(head, head.length());
	return {JudgedAnswer::Kind::taken, asked.begin, head.length(), true};
}

JudgedAnswer ObjectJudge::judge_range(const ResponseHead &head, const AskedPart &asked)
{
	if (!head.range() || !head.range()->first || !head.range()->total)
		throw FetchError("the server answers with a part and does not tell which (Content-Range)");
	const std::uint64_t first = *head.range()->first, end = *head.range()->last + 1, total = *head.range()->total;
	if (first != asked.begin || (asked.end && end > std::min(*asked.end, total)))
		throw FetchError("the server answers with another part than it was asked for");
	if (head.length() && *head.length() != end - first)
		throw FetchError("the server contradicts itself: Content-Length is not the size of Content-Range");
	// By nothing could it be told whether the next part is of the same object.
	if (!known_ && head.validator().empty() && validator().empty() && end < total && !is_anew_)
		return begin_anew();
	learn(head, total);
	has_ranges_ = true;
	return {JudgedAnswer::Kind::taken, 0, end, false};
}

JudgedAnswer ObjectJudge::begin_anew()
{
	is_anew_ = true;
	return {JudgedAnswer::Kind::anew, 0, {}, false};
}

void ObjectJudge::learn(const ResponseHead &head, std::optional<std::uint64_t> size)
{
	const bool is_size_known = known_ || wanted_.size;
	if (is_size_known && (known_ ? known_->size : wanted_.size) != size)
		throw ObjectChanged("its size is another than before");
	if (max_size_ > 0 && size && *size > max_size_)
		throw FetchError("it is larger than fetch.max_size: " + std::to_string(*size) + " bytes");
	if (known_)
		return;
	if (size && *size < wanted_.offset)
		throw ObjectChanged(shorter);
	known_ = FetchedObject{size, wanted_.offset, wanted_.validator.empty() ? head.validator() : wanted_.validator};
}

} // namespace dig
