#include <thread>

#include "libdig/base/digest.h"
#include "libdig/remote/remote_layout.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-remote [list]\n"
	"dig-remote add NAME URL\n"
	"dig-remote check [NAME|URL]\n"
	"dig-remote remove NAME";

static int list(const StorePaths &paths)
{
	for (const RemoteName &remote : remotes_of(paths))
		standard_output().record(remote.name + '\t' + remote.url);
	return exit_status::done;
}

static int add(const StorePaths &paths, const std::string &name, std::string url)
{
	require_remote_name(name);
	require_remote_url(url);
	for (const RemoteName &remote : remotes_of(paths))
		if (remote.name == name)
			throw Error("there is a remote " + quote(name) + " already, " + quote(remote.url));
	// A path stays right in any directory.
	if (scheme_of(url) == "file" && !url.starts_with("file://") && find_stat(url))
		url = resolved_path(url);
	save_remote(paths, {name, url, 0});
	return exit_status::done;
}

constexpr int racers = 8;

// As many writers as there are want to make one object: exactly one may.
static int winners_of_race(const std::string &url, const std::string &key, std::string &content)
{
	std::vector<std::unique_ptr<RemoteObjects>> helpers;
	for (int i = 0; i < racers; i++)
		helpers.push_back(start_helper(helper_command(url)));
	std::vector<std::string> failures(racers);
	std::vector<char> has_won(racers);
	std::vector<std::thread> threads;
	const auto race = [&](int i) {
		try {
			const std::string text = "writer " + std::to_string(i);
			has_won[static_cast<std::size_t>(i)] = helpers[static_cast<std::size_t>(i)]->put_new(key, bytes_of(text));
		} catch (const Error &error) {
			failures[static_cast<std::size_t>(i)] = error.what();
		}
	};
	for (int i = 0; i < racers; i++)
		threads.emplace_back(race, i);
	for (std::thread &thread : threads)
		thread.join();
	int winners = 0;
	for (std::size_t i = 0; i < racers; i++) {
		if (!failures[i].empty())
			throw Error(failures[i]);
		if (has_won[i]) {
			winners++;
			content = "writer " + std::to_string(i);
		}
	}
	return winners;
}

static int check(const std::string &url)
{
	const std::unique_ptr<RemoteObjects> objects = start_helper(helper_command(url));
	const std::string can = objects->check();
	const std::string key = "check/" + to_hex(random_digest());
	std::string content;
	std::vector<std::string> faults;
	const int winners = winners_of_race(url, key, content);
	if (winners != 1)
		faults.push_back(std::to_string(winners) + " of " + std::to_string(racers) +
			" writers of one object succeeded");
	const std::optional<Buffer> found = objects->get_small(key, 100);
	if (winners == 1 && (!found || text_of(*found) != content))
		faults.push_back("the object has other content than that of the writer who succeeded");
	const std::optional<RemoteObjects::Part> part = objects->get(key, 2, 3);
	if (!part || text_of(part->bytes) != "ite")
		faults.push_back("a range of the object has other bytes");
	bool is_listed = false;
	objects->list("check/", "", [&](const std::string &listed, std::uint64_t size) {
		is_listed = is_listed || (listed == key && size == 8);
	});
	if (!is_listed)
		faults.push_back("the object is not listed, or with another size");
	objects->remove(key);
	for (const std::string &fault : faults)
		tell_error(fault);
	if (faults.empty())
		standard_output().record("ok " + can);
	return faults.empty() ? exit_status::done : exit_status::corrupt;
}

static int remote(Options &options)
{
	std::vector<std::string> words;
	options.positional(words).parse();
	const StorePaths paths = get_store();
	const std::string verb = words.empty() ? "list" : words[0];
	const std::size_t count = words.empty() ? 0 : words.size() - 1;
	if (verb == "list" && count == 0)
		return list(paths);
	if (verb == "add" && count == 2)
		return add(paths, words[1], words[2]);
	if (verb == "check" && count <= 1)
		return check(remote_of(paths, count == 1 ? words[1] : usual_remote).url);
	if (verb == "remove" && count == 1) {
		if (!remove_remote(paths, words[1]))
			throw Error("there is no remote " + quote(words[1]));
		return exit_status::done;
	}
	throw UsageError(quote(verb) + " is none of list, add, check and remove, or has other words behind it");
}

int dig_remote_main(int argc, char **argv) { return run(argc, argv, usage, remote); }
