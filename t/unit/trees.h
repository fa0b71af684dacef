// Trees in memory, for tests.
#ifndef DIG_UNIT_TREES_H
#define DIG_UNIT_TREES_H

#include <map>
#include <set>
#include <unordered_map>

#include "libdig/base/error.h"
#include "libdig/format/search_tree.h"

namespace dig {

using Manifest = std::map<std::string, Entry>;

// Where nodes go; what is read is counted.
struct Nodes {
	std::unordered_map<Digest, Buffer, DigestHash> stored;
	std::set<Digest> read;
	std::uint64_t reads = 0, writes = 0;

	NodeSink sink()
	{
		return [this](const Digest &id, Bytes bytes) {
			writes++;
			stored[id].assign(bytes.begin(), bytes.end());
		};
	}
	NodeSource source()
	{
		return [this](const Digest &id) {
			reads++;
			const auto found = stored.find(id);
			if (found == stored.end())
				throw CorruptError("node " + to_hex(id) + " is missing");
			return found->second;
		};
	}
};

inline Entry entry_at(const std::string &path, std::uint64_t number)
{
	Entry entry;
	entry.path = path;
	entry.mode = 0644;
	entry.size = number % 7 ? 1 + number % 1000000 : 0;
	if (entry.size) {
		entry.form = ContentForm::chunk;
		entry.content = digest_of(bytes_of(std::to_string(number)));
	}
	entry.mtime_ns = static_cast<std::int64_t>(number);
	return entry;
}

inline NodeRef rebuilt(const Manifest &manifest, Nodes &nodes)
{
	TreeBuilder builder(TreeKind::manifest, nodes.sink());
	for (const auto &[path, entry] : manifest)
		builder.append_entry(entry);
	return builder.finish();
}

inline ManifestChanges changes_of(const std::map<std::string, std::optional<Entry>> &changes)
{
	auto at = changes.begin();
	return [&changes, at]() mutable -> std::optional<ManifestChange> {
		if (at == changes.end())
			return {};
		ManifestChange change{at->first, at->second};
		++at;
		return change;
	};
}

} // namespace dig

#endif
