// Ranges are absolute, a-b: not all servers know others.  No range is empty, so that something is asked for where
// nothing is wanted: two bytes, since s3rver takes the end 0 for none.
#include "libdig/network/http_range.h"

#include <algorithm>

namespace dig {

constexpr std::uint64_t largest = 1'000'000'000'000'000'000 - 1; // what a Content-Range may say

static void require_same(const ResponseHead &head, std::string *validator)
{
	if (!validator)
		return;
	if (validator->empty())
		*validator = head.validator();
	else if (!head.is_of(*validator))
		throw FetchError("the object was replaced while it was read");
}

class RangeReader {
public:
	RangeReader(HttpClient &client, const FetchTarget &target, std::uint64_t offset, std::uint64_t size,
		std::string *validator)
		: client_(client), offset_(offset), end_(offset + size), retries_(client.limits().retries),
		  validator_(validator)
	{
		request_.target = target;
		request_.take = [this](const ResponseHead &head, Bytes bytes) { take(head, bytes); };
	}

	std::optional<RemoteObjects::Part> read()
	{
		for (;;) {
			const std::uint64_t before = part_.bytes.size();
			std::uint64_t asked_wait_s = 0;
			try {
				if (const std::optional<bool> is_there = attempt(asked_wait_s))
					return *is_there ? std::optional(std::move(part_)) : std::nullopt;
			} catch (const FetchError &error) {
				if (!error.may_pass() ||
					!client_.wait_for_retry(retries_, part_.bytes.size() - before, asked_wait_s))
					throw;
			}
		}
	}

private:
	// Nothing if more has to be asked for.
	std::optional<bool> attempt(std::uint64_t &asked_wait_s)
	{
		if (is_known_ && !part_.bytes.empty() && part_.bytes.size() == std::min(end_, part_.total) - offset_)
			return true;
		first_ = is_behind_ ? 0 : offset_ + part_.bytes.size();
		last_ = is_behind_ || end_ <= first_ ? first_ + 1 : end_ - 1;
		request_.range = std::to_string(first_) + '-' + std::to_string(last_);
		left_.reset();
		const HttpAnswer answer = client_.ask(request_);
		asked_wait_s = answer.head.retry_after().value_or(0);
		const int status = answer.head.status();
		if (status == 416)
			return take_nothing(answer.head);
		if (status == 404 && answer.refusal.find("<Code>NoSuchBucket<") == answer.refusal.npos)
			return false;
		if (status >= 300)
			throw refusal(request_.target, answer.head, answer.refusal);
		if (left_ != 0)
			throw FetchError("the server sends less than it has announced", true);
		if (is_behind_ && part_.total > offset_)
			throw FetchError("the server refuses a part of what it has");
		return true;
	}

	// There is no such part.  Not every server says how large the object is then.
	std::optional<bool> take_nothing(const ResponseHead &head)
	{
		if (is_known_ && part_.total > first_)
			throw FetchError("the server refuses a part of what it has");
		if (head.range() && !head.range()->first && head.range()->total)
			part_.total = *head.range()->total;
		else if (first_ > 0 && !is_behind_) {
			is_behind_ = true;
			return {};
		}
		if (part_.total > first_)
			throw FetchError("the server refuses a part of what it has");
		return true;
	}

	void begin(const ResponseHead &head)
	{
		// What is empty has no first byte, and some servers say so by giving all of it.
		if (head.status() == 200 && head.length() == 0 && part_.bytes.empty()) {
			left_ = part_.total = 0;
			return;
		}
		if (head.status() != 206)
			throw FetchError("the server has no ranges: it answers with status " + std::to_string(head.status()));
		const std::optional<ContentRange> &range = head.range();
		if (!range || !range->first || !range->total)
			throw FetchError("the server does not say which part it sends");
		if (range->first != first_ || *range->last != std::min(last_, *range->total - 1))
			throw FetchError("the server sends another part than it was asked for");
		if (is_known_ && part_.total != *range->total)
			throw FetchError("the object has changed its size");
		require_same(head, validator_);
		left_ = *range->last - *range->first + 1;
		if (head.length() && head.length() != left_)
			throw FetchError("the server announces another length than its part has");
		part_.total = *range->total;
		is_known_ = true;
		if (end_ > offset_ && !is_behind_)
			part_.bytes.reserve(std::min(end_, part_.total) - offset_);
	}

	void take(const ResponseHead &head, Bytes bytes)
	{
		if (!left_)
			begin(head);
		if (bytes.size() > *left_)
			throw FetchError("the server sends more than it has announced");
		*left_ -= bytes.size();
		if (end_ > offset_ && !is_behind_)
			append(part_.bytes, bytes);
	}

	HttpClient &client_;
	HttpRequest request_;
	std::uint64_t offset_, end_;
	FetchRetries retries_;
	RemoteObjects::Part part_{{}, 0};
	std::uint64_t first_ = 0, last_ = 0;
	std::optional<std::uint64_t> left_; // of the answer that comes
	bool is_known_ = false;             // the total
	bool is_behind_ = false;            // only the total is asked for
	std::string *validator_;
};

std::optional<RemoteObjects::Part> get_by_http(HttpClient &client, const FetchTarget &target, std::uint64_t offset,
	std::uint64_t size, std::string *validator)
{
	// There are no bytes so far out.
	if (offset >= largest - size) {
		std::optional<RemoteObjects::Part> part = RangeReader(client, target, 0, 0, validator).read();
		if (part && part->total > offset)
			throw FetchError("the object is too large");
		return part;
	}
	return RangeReader(client, target, offset, size, validator).read();
}

// By "-N".  Not every server knows that, and some send other bytes: then the size is asked for first.
std::optional<RemoteObjects::Part> get_end_by_http(HttpClient &client, const FetchTarget &target, std::uint64_t size,
	std::string *validator)
{
	HttpRequest request;
	request.target = target;
	request.range = "-" + std::to_string(size);
	RemoteObjects::Part part{{}, 0};
	bool is_right = false;
	request.take = [&](const ResponseHead &head, Bytes bytes) {
		if (part.bytes.empty()) {
			const std::optional<ContentRange> &range = head.range();
			is_right = head.status() == 206 && range && range->first && range->total &&
				*range->last == *range->total - 1 && *range->first == *range->total - std::min(*range->total, size);
			if (!is_right)
				throw FetchError("the server sends another part than it was asked for");
			part.total = *range->total;
			require_same(head, validator);
		}
		if (bytes.size() > std::min(part.total, size) - part.bytes.size())
			throw FetchError("the server sends more than it has announced");
		append(part.bytes, bytes);
	};
	try {
		const HttpAnswer answer = client.ask(request);
		if (answer.head.status() == 404)
			return {};
		if (is_right && part.bytes.size() == std::min(part.total, size))
			return part;
	} catch (const FetchError &) {
		// Asked for in the usual way, it is tried again and told.
	}
	validator->clear();
	const std::optional<RemoteObjects::Part> probe = RangeReader(client, target, 0, 1, validator).read();
	if (!probe)
		return {};
	return RangeReader(client, target, probe->total - std::min(probe->total, size), size, validator).read();
}

} // namespace dig
