#include "libdig/proof/policy.h"

#include <algorithm>

namespace dig {

constexpr std::size_t most_members = 10000;

static std::vector<std::string_view> words_of(std::string_view line)
{
	std::vector<std::string_view> words;
	for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != line.npos;) {
		const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
		words.push_back(line.substr(at, end - at));
		at = end;
	}
	return words;
}

std::optional<std::size_t> Policy::find(std::string_view name) const
{
	for (std::size_t i = 0; i < members_.size(); i++)
		if (members_[i].name == name)
			return i;
	return {};
}

// A key stands in a policy once, whatever its name is.
void Policy::add_key(const VerifierKey &key) const
{
	const auto is_same = [&](const VerifierKey &other) { return other.key == key.key; };
	if (std::any_of(logs_.begin(), logs_.end(), is_same) ||
		std::any_of(members_.begin(), members_.end(),
			[&](const Member &member) { return member.key && is_same(*member.key); }))
		throw Error("the key of " + quote(key.name) + " is there twice");
}

void Policy::add_line(const std::vector<std::string_view> &words)
{
	const std::string_view word = words[0];
	const auto add_member = [&](Member member) {
		if (member.name == "none" || find(member.name))
			throw Error("the name " + quote(member.name) + " is taken");
		if (members_.size() == most_members)
			throw Error("there are too many witnesses and groups");
		members_.push_back(std::move(member));
	};
	const auto known = [&](std::string_view name) {
		const std::optional<std::size_t> number = find(name);
		if (!number)
			throw Error(quote(name) + " is neither a witness nor a group of a line before");
		return *number;
	};
	if (word == "log" && (words.size() == 2 || words.size() == 3)) {
		const VerifierKey key = VerifierKey::parse(words[1]);
		if (key.type != NoteKeyType::ed25519)
			throw Error("the key of " + quote(key.name) + " is none of a log");
		add_key(key);
		logs_.push_back(key);
	} else if (word == "witness" && (words.size() == 3 || words.size() == 4)) {
		const VerifierKey key = VerifierKey::parse(words[2]);
		if (key.type != NoteKeyType::cosignature)
			throw Error("the key of " + quote(key.name) + " is none of a witness");
		add_key(key);
		add_member({std::string(words[1]), key, {}, 0});
	} else if (word == "group" && words.size() >= 4) {
		Member group{std::string(words[1]), {}, {}, 0};
		for (std::size_t i = 3; i < words.size(); i++) {
			const std::size_t number = known(words[i]);
			if (std::find(group.members.begin(), group.members.end(), number) !=
				group.members.end())
				throw Error(quote(words[i]) + " is in the group twice");
			group.members.push_back(number);
		}
		const std::optional<std::uint64_t> number = parse_plain_number(words[2]);
		group.threshold = words[2] == "any" ? 1
			: words[2] == "all"             ? group.members.size()
											: number.value_or(0);
		if (group.threshold == 0 || group.threshold > group.members.size())
			throw Error(quote(words[2]) + " is no number of members: any, all, or 1 to " +
				std::to_string(group.members.size()));
		add_member(std::move(group));
	} else if (word == "quorum" && words.size() == 2) {
		if (has_quorum_)
			throw Error("there are two quorum lines");
		has_quorum_ = true;
		if (words[1] != "none")
			quorum_ = known(words[1]);
	} else {
		throw Error("the line is none: log, witness, group or quorum, with what belongs to it");
	}
}

Policy Policy::parse(std::string_view text, std::string_view name)
{
	Policy policy;
	std::uint64_t number = 0;
	while (!text.empty()) {
		const std::size_t end = std::min(text.find('\n'), text.size());
		const std::vector<std::string_view> words = words_of(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
		number++;
		if (words.empty() || words[0][0] == '#')
			continue;
		try {
			policy.add_line(words);
		} catch (const Error &error) {
			throw Error(quote(name) + ", line " + std::to_string(number) + ": " + error.what());
		}
	}
	if (!policy.has_quorum_)
		throw Error(quote(name) + " has no line 'quorum'");
	return policy;
}

std::vector<std::string> Policy::check(const SignedNote &note, std::string_view origin) const
{
	std::vector<std::string> signers;
	bool has_log = logs_.empty();
	for (const VerifierKey &log : logs_)
		if (log.name == origin && note.is_signed_by(log)) {
			has_log = true;
			signers.push_back(log.name);
		}
	if (!has_log)
		throw UnprovedError("no log of the policy has signed the checkpoint");
	// Members of a group stand before it.
	std::vector<bool> has_signed;
	for (const Member &member : members_) {
		std::size_t count = 0;
		if (member.key && note.is_signed_by(*member.key)) {
			count++;
			signers.push_back(member.key->name);
		}
		for (std::size_t number : member.members)
			count += has_signed[number];
		has_signed.push_back(count >= std::max<std::size_t>(member.threshold, 1));
	}
	if (quorum_ && !has_signed[*quorum_])
		throw UnprovedError(
			"too few witnesses have signed the checkpoint for the quorum of the policy");
	return signers;
}

} // namespace dig
