// A commit compares its tree with the one before, which costs little: both trees were read and written a
// moment ago.  dig log then answers for a path without a look at the trees.
//
// A store has states without a record: those that were committed by an older dig or came from elsewhere, and
// those before which states were dropped, since they are compared with another tree now.  Each commit catches
// up with some of them, the newest first, and dig repack with all.
#include "libdig/store/changed_paths.h"

#include <algorithm>
#include <set>

#include "libdig/base/cursor.h"
#include "libdig/base/trace.h"
#include "libdig/os/directory.h"
#include "libdig/store/path_diff.h"
#include "libdig/store/record_log.h"
#include "libdig/store/remotes.h"
#include "libdig/store/state_headers.h"

namespace dig {

constexpr RecordLog records("DIGPATHS", ChangedPaths::least_bytes, ChangedPaths::most_bytes);
constexpr std::uint64_t generations_a_file = 1024;
// Of states that are gone, too.  With more of them, a file is begun anew.
constexpr std::size_t most_records = 2 * generations_a_file;
// That a commit looks at besides its own state, which takes some milliseconds for each of them.
constexpr std::size_t most_older = 4;
// That dig repack looks at while it holds the lock.
constexpr std::size_t most_at_once = 16;
constexpr std::size_t kept_nodes_size = 4_MiB;
// A node takes a tenth of a millisecond.  To look at more of them would hold up a commit by more than what
// dig log then saves.
constexpr std::uint64_t most_reads = 96;

using Trees = std::pair<Digest, Digest>;

static std::uint64_t file_of(std::uint64_t generation) { return (generation - 1) / generations_a_file; }
static std::string directory_of(const StorePaths &paths) { return paths.store + "/changed-paths"; }

ChangedPaths ChangedPaths::decode(Bytes record, std::string_view name)
{
	ChangedPaths decoded;
	Cursor cursor(record, name);
	decoded.before_ = cursor.digest();
	decoded.after_ = cursor.digest();
	while (!cursor.at_end()) {
		const std::string_view path = text_of(cursor.take(cursor.u16()));
		if (path.empty() || (decoded.has_paths() && path <= decoded.paths_.back()))
			cursor.fail("paths are not in order");
		decoded.paths_.push_back(path);
	}
	return decoded;
}

Buffer ChangedPaths::encode(const Digest &before, const Digest &after, const std::vector<std::string> &paths)
{
	Buffer record;
	append(record, before);
	append(record, after);
	const std::size_t head = record.size();
	for (const std::string &path : paths) {
		if (path.size() > UINT16_MAX || record.size() + 2 + path.size() > most_bytes) {
			record.resize(head);
			break;
		}
		put_u16(record, static_cast<std::uint16_t>(path.size()));
		append(record, bytes_of(path));
	}
	return record;
}

bool ChangedPaths::has(std::string_view path) const
{
	return std::any_of(paths_.begin(), paths_.end(), [&](std::string_view changed) {
		return path.empty() ||
			(changed.starts_with(path) && (changed.size() == path.size() || changed[path.size()] == '/'));
	});
}

NotedChanges::NotedChanges(const StorePaths &paths, std::vector<std::string> wanted)
	: directory_(directory_of(paths)), wanted_(std::move(wanted))
{
}

const std::vector<bool> *NotedChanges::find(std::uint64_t generation, const Digest &before, const Digest &after)
{
	if (file_number_ != file_of(generation)) {
		file_number_ = file_of(generation);
		found_.clear();
		try {
			const std::optional<File> file = File::find(directory_ + "/" + std::to_string(*file_number_));
			const auto take = [&](Bytes record) {
				const ChangedPaths changed = ChangedPaths::decode(record, file->name());
				if (!changed.has_paths() || found_.size() >= most_records)
					return;
				std::vector<bool> &differs = found_[{changed.before(), changed.after()}];
				differs.clear();
				for (const std::string &path : wanted_)
					differs.push_back(changed.has(path));
			};
			if (file)
				records.each(*file, take);
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			// It is derived.
		}
	}
	const auto found = found_.find({before, after});
	return found == found_.end() ? nullptr : &found->second;
}

static bool has_content_elsewhere(const StorePaths &paths)
{
	bool has = false;
	for (const RemoteName &remote : remotes_of(paths, [&](const std::string &) { has = true; }))
		has = has || remote.is_lazy;
	return has;
}

class ChangeNotes {
public:
	// Of the file that has this generation.
	ChangeNotes(Store &store, std::uint64_t generation)
		: store_(store), table_(store.layer_table()), headers_(store), nodes_(store, kept_nodes_size),
		  first_(file_of(generation) * generations_a_file + 1),
		  last_(std::min(first_ + generations_a_file - 1, headers_.size()))
	{
		make_directory(directory_of(store.paths()));
		file_ = File::open_with(directory_of(store.paths()) + "/" + std::to_string(file_of(generation)),
			O_RDWR | O_CREAT);
		end_ = records.recover(file_, [&](Bytes record) { known_.insert(trees_of(record)); });
		if (known_.size() >= most_records) {
			file_.truncate(0);
			end_ = 0;
			known_.clear();
		}
	}

	// Of the last state of the file.
	void note_last() { note(last_); }

	// Whether states may be without a record, as far as this can be told without a look at them.
	bool may_lack() const { return known_.size() <= last_ - first_; }

	// Of the newest states that have no record, up to so many; returns how many got one.
	std::size_t catch_up(std::size_t most)
	{
		std::size_t tried = 0, noted = 0;
		for (std::uint64_t i = last_; i >= first_ && tried < most; i--)
			switch (note(i)) {
			case Noted::now: noted++; [[fallthrough]];
			case Noted::impossible: tried++; break;
			case Noted::before: break;
			}
		return noted;
	}

private:
	enum class Noted { before, now, impossible };

	static Trees trees_of(Bytes record)
	{
		Trees trees;
		std::memcpy(trees.first.bytes.data(), record.data(), sizeof(Digest));
		std::memcpy(trees.second.bytes.data(), record.data() + sizeof(Digest), sizeof(Digest));
		return trees;
	}

	TreeRoot tree(std::uint64_t generation)
	{
		if (generation == 0 || generation + 1 >= headers_.size())
			return store_.manifest(generation);
		const LayerHeader &header = headers_.at(generation);
		return {header.manifest_root, header.entries, header.bytes};
	}

	std::uint64_t before(std::uint64_t generation) const
	{
		do
			generation--;
		while (generation > 0 && table_->is_dropped(generation));
		return generation;
	}

	Noted note(std::uint64_t generation)
	{
		if (table_->is_dropped(generation))
			return Noted::before;
		try {
			const TreeRoot old = tree(before(generation)), now = tree(generation);
			if (old.id == now.id || known_.contains({old.id, now.id}))
				return Noted::before;
			end_ = records.append(file_, end_, ChangedPaths::encode(old.id, now.id, changed(old, now)));
			known_.insert({old.id, now.id});
			return Noted::now;
		} catch (const CorruptError &) {
			// For dig check to tell of.
			return Noted::impossible;
		}
	}

	// None where they are too many.
	std::vector<std::string> changed(const TreeRoot &old, const TreeRoot &now)
	{
		std::vector<std::string> paths;
		std::size_t size = 0;
		bool are_listed = true;
		const std::uint64_t reads_before = nodes_.reads();
		PathDiff(nodes_).each(old, now, "", [&](const Entry *before, const Entry *after) {
			paths.push_back(before ? before->path : after->path);
			size += 2 + paths.back().size();
			return are_listed = size <= ChangedPaths::most_bytes && nodes_.reads() - reads_before <= most_reads;
		});
		return are_listed ? paths : std::vector<std::string>();
	}

	Store &store_;
	std::shared_ptr<const LayerTable> table_;
	StateHeaders headers_;
	KeptNodes nodes_;
	std::uint64_t first_, last_; // generations of the file
	File file_;
	std::uint64_t end_ = 0;
	std::set<Trees> known_;
};

void note_changed_paths(Store &store)
{
	const Region region("changed paths");
	if (store.roots().size() == 0 || has_content_elsewhere(store.paths()))
		return;
	ChangeNotes notes(store, store.roots().size());
	notes.note_last();
	if (notes.may_lack())
		notes.catch_up(most_older);
}

std::uint64_t before_changed_paths_of(std::uint64_t generation) { return file_of(generation) * generations_a_file; }

bool note_older_changed_paths(Store &store, std::uint64_t generation)
{
	return !has_content_elsewhere(store.paths()) && ChangeNotes(store, generation).catch_up(most_at_once) > 0;
}

void check_changed_paths(const StorePaths &paths, std::uint64_t generations,
	const std::function<void(const std::string &)> &problem)
{
	for (std::uint64_t number = 0; number * generations_a_file < generations; number++) {
		try {
			const std::optional<File> file = File::find(directory_of(paths) + "/" + std::to_string(number));
			if (!file)
				continue;
			const std::uint64_t end =
				records.each(*file, [&](Bytes record) { ChangedPaths::decode(record, file->name()); });
			if (end == 0 || end != file->size())
				throw CorruptError("it ends too early", file->name(), end);
		} catch (const CorruptError &error) {
			problem(error.what());
		}
	}
}

} // namespace dig
