#include "libdig/tool/remote_command.h"

#include "libdig/base/byte_size.h"
#include "libdig/format/settings.h"
#include "libdig/os/file.h"
#include "libdig/remote/reapply.h"
#include "libdig/remote/remote_check.h"
#include "libdig/remote/remote_ranges.h"
#include "libdig/tool/command.h"

namespace dig {

Command helper_command(const std::string &url)
{
	require_remote_url(url);
	std::string scheme = scheme_of(url);
	if (scheme == "https")
		scheme = "http";
	Command command = tool_command("remote-" + scheme);
	if (!find_stat(command[0]))
		command[0] = "dig-remote-" + scheme;
	command.push_back(url);
	return command;
}

RemoteName remote_of(const StorePaths &paths, const std::string &name_or_url)
{
	if (name_or_url.find('/') == name_or_url.npos)
		return find_remote(paths, name_or_url);
	require_remote_url(name_or_url);
	return {"", name_or_url};
}

void require_careful_remote(const StorePaths &paths, RemoteName &remote)
{
	const std::string scheme = scheme_of(remote.url);
	if (remote.is_checked || scheme == "file" || scheme == "ssh")
		return;
	const RemoteVerdict verdict = check_remote([&] { return start_helper(helper_command(remote.url)); });
	if (!verdict.faults.empty())
		throw Error(verdict.faults[0] + ": the place is no remote for several writers; '--single-writer' is for a "
			"place that only one store writes to");
	remote.is_checked = true;
	if (!remote.name.empty())
		save_remote(paths, remote);
}

// A pack is looked for in one after the other.
class LazyRemotes : public RemoteObjects {
public:
	explicit LazyRemotes(std::vector<std::string> urls) : urls_(std::move(urls)) {}

	using RemoteObjects::put_new;
	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override
	{
		std::exception_ptr failure;
		remotes_.resize(urls_.size());
		for (std::size_t i = 0; i < urls_.size(); i++)
			try {
				if (!remotes_[i])
					remotes_[i] = start_helper(helper_command(urls_[i]));
				if (std::optional<Part> part = remotes_[i]->get(key, offset, size))
					return part;
			} catch (const Interrupted &) {
				throw;
			} catch (const Error &) {
				failure = failure ? failure : std::current_exception();
				remotes_[i].reset();
			}
		if (failure)
			std::rethrow_exception(failure);
		return {};
	}
	bool put_new(const std::string &, std::uint64_t, const Content &) override { throw read_only(); }
	void list(const std::string &, const std::string &, const Take &) override { throw read_only(); }
	bool remove(const std::string &) override { throw read_only(); }
	std::string check() override { throw read_only(); }

private:
	static Error read_only() { return Error("content that lies in a remote is only read"); }

	std::vector<std::string> urls_;
	std::vector<std::unique_ptr<RemoteObjects>> remotes_;
};

std::shared_ptr<PackRanges> open_packs_of_remotes(const StorePaths &paths)
{
	// Those first that are known to have packs that are not here; any other may have them, too.
	std::vector<std::string> urls;
	const std::vector<RemoteName> remotes = remotes_of(paths, warn);
	for (const bool is_lazy : {true, false})
		for (const RemoteName &remote : remotes)
			if (remote.is_lazy == is_lazy)
				urls.push_back(remote.url);
	if (urls.empty())
		throw Error("the content lies in a remote, and no remote is known; 'dig remote add --lazy NAME URL' makes it "
			"known", exit_status::network);
	return std::make_shared<RemoteRanges>([urls] { return std::make_unique<LazyRemotes>(urls); }, paths.cache(),
		load_settings(paths.config()).remote.cache_size);
}

static std::string names_of(const GenerationRange &range)
{
	return "@" + std::to_string(range.first) +
		(range.last > range.first ? " to @" + std::to_string(range.last) : std::string());
}

ReapplyResult go_on_from(const StorePaths &paths, RemoteStore &remote, std::uint64_t newest, Work &work,
	bool is_quiet)
{
	ReapplyResult result = reapply_states(paths, remote, newest, work);
	if (is_quiet || result.theirs.first == 0)
		return result;
	const std::uint64_t before = result.theirs.first, count = result.mine.last - result.mine.first;
	standard_output().record(names_of(result.theirs) + ", " + size_text(static_cast<double>(result.bytes)) + "; " +
		names_of({before, before + count}) + " of this store " + (count > 0 ? "are " : "is ") +
		names_of(result.mine) + " now");
	standard_output().flush();
	return result;
}

} // namespace dig
