// The content of the new states is cut into packs of some MiB, always in the same way, so that a push that was
// interrupted makes the same packs again, and finds them in the remote.
//
// If the answer to a record is lost, or the record is there already, it is read: the nonce tells whose it is.
#include "libdig/remote/push.h"

#include "libdig/base/digest.h"
#include "libdig/os/process.h"
#include "libdig/remote/reapply.h"
#include "libdig/verbs/export_states.h"

namespace dig {

constexpr std::uint64_t pack_size = 64_MiB;
constexpr std::uint64_t sent_unasked = 64_KiB; // a question costs more

class Push {
public:
	Push(Store &store, RemoteStore &remote, PushStart &start, Work &work)
		: store_(store), remote_(remote), start_(start), work_(work)
	{
	}

	PushResult run()
	{
		const RootHistory roots = store_.roots();
		agree_on_store(roots.size());
		const std::uint64_t last = start_.is_newest ? start_.known : newest_of_remote(start_.known, roots);
		PushResult result;
		result.newest = std::max(last, roots.size());
		result.common = roots.size();
		if (last >= roots.size())
			return result;
		result.range = {last + 1, roots.size()};
		send_packs(result);
		for (std::uint64_t i = last + 1; i <= roots.size(); i++)
			send_record(i, last + 1);
		return result;
	}

private:
	void agree_on_store(std::uint64_t count)
	{
		const RemoteDescription own{store_.id(), store_.chunking()};
		std::optional<RemoteDescription> found = remote_.description();
		if (!found && count == 0)
			throw NegativeAnswer("there is no state yet");
		if (!found && !remote_.describe(own))
			found = remote_.description();
		if (found && (found->store_id != own.store_id || found->chunking != own.chunking))
			throw Error("the remote has states of another store, " + to_hex(found->store_id));
	}

	// It, or the newest state here if the remote is ahead, has to be a state of both.
	std::uint64_t newest_of_remote(std::uint64_t known, const RootHistory &roots)
	{
		known = std::min(known, roots.size());
		const std::vector<std::uint64_t> later = remote_.generations_after(known);
		const std::uint64_t newest = later.empty() ? known : later.back();
		const std::uint64_t common = std::min(newest, roots.size());
		if (common > 0) {
			const std::optional<RootRecord> record = remote_.record(common);
			if (!record)
				return known > 0 ? newest_of_remote(0, roots) : 0;
			if (record->state.header.id() != roots.at(common).layer_id)
				throw PartedHistories(common, newest);
		}
		return newest;
	}

	void send_packs(PushResult &result)
	{
		const std::uint64_t states = result.range.last - result.range.first + 1;
		// Somebody may have committed since.
		if (states == start_.states)
			packs_ = start_.packs;
		const TakePack take = [&](const File &file, const ExportResult &pack) {
			packs_.push_back({pack.pack_id, pack.size});
			const std::string key = pack_key(pack.pack_id);
			if (pack.size > sent_unasked && remote_.objects().get(key, 0, 0))
				return;
			std::uint64_t at = 0;
			remote_.objects().put_new(key, pack.size, [&](MutableBytes window) {
				file.read_exactly_at(window, at);
				at += window.size();
			});
			result.bytes += pack.size;
		};
		if (!packs_.empty())
			return export_nodes(store_, start_.nodes, work_, take);
		export_packs(store_, result.range, pack_size, work_, take);
		start_.packs = packs_;
		start_.states = states;
	}

	// The record of the first state has the packs.
	void send_record(std::uint64_t generation, std::uint64_t first)
	{
		check_interrupted();
		RootRecord record;
		record.state = store_.state(generation);
		record.root = store_.roots().at(generation).root;
		record.is_dropped = store_.layer_table()->is_dropped(generation);
		record.nonce = random_digest();
		record.content_at = first;
		if (generation == first)
			record.packs = packs_;
		if (remote_.add_record(record))
			return;
		const std::optional<RootRecord> other = remote_.record(generation);
		if (!other || other->state.header.id() != record.state.header.id())
			throw PartedHistories(generation, generation);
	}

	Store &store_;
	RemoteStore &remote_;
	PushStart &start_;
	Work &work_;
	std::vector<RootRecord::Pack> packs_;
};

PushResult push_states(Store &store, RemoteStore &remote, PushStart &start, Work &work)
{
	return Push(store, remote, start, work).run();
}

} // namespace dig
