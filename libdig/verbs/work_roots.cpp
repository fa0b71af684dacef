#include "libdig/verbs/work_roots.h"

#include <map>

#include "libdig/ingest/ingest.h"
#include "libdig/os/beneath.h"

namespace dig {

class RootReading : public IngestSink {
public:
	explicit RootReading(std::map<std::string, WorkRoot> &found) : found_(found) {}

	void take(const IngestedUnit &unit) override
	{
		for (const IngestedUnit::Part &part : unit.parts) {
			part.source->append_to_tree(part.chunks, nowhere_);
			if (part.outcome)
				finish(*part.source, *part.outcome);
		}
	}

private:
	void finish(Source &source, const SourceOutcome &outcome)
	{
		WorkRoot &found = found_.at(source.path);
		found.error = outcome.error;
		if (found.error.empty() && outcome.has_changed)
			found.error = "it changed while it was read";
		if (found.error.empty())
			found.root = source.finish_tree(nowhere_);
	}

	std::map<std::string, WorkRoot> &found_;
	const NodeSink nowhere_ = [](const Digest &, Bytes) {};
};

std::vector<WorkRoot> read_work_roots(Store &store, const File &top, const std::vector<std::string> &paths)
{
	std::map<std::string, WorkRoot> found;
	{
		RootReading reading(found);
		std::vector<Source> sources;
		for (const std::string &path : paths) {
			WorkRoot &work = found[path];
			work.stat = find_stat_beneath(top, path);
			if (!work.stat || (work.stat->type != FileType::regular && work.stat->type != FileType::symlink))
				continue;
			Source source;
			source.path = path;
			source.stat = work.stat;
			source.kind = work.stat->type == FileType::symlink ? EntryKind::symlink : EntryKind::file;
			sources.push_back(std::move(source));
		}
		if (!sources.empty()) {
			Ingest ingest(store.settings(), store.chunking(), top, reading);
			for (Source &source : sources)
				ingest.submit(std::move(source));
			ingest.drain();
		}
	}
	std::vector<WorkRoot> roots;
	for (const std::string &path : paths)
		roots.push_back(found.at(path));
	return roots;
}

} // namespace dig
