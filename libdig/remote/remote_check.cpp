#include "libdig/remote/remote_check.h"

#include <algorithm>

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/os/process.h"
#include "libdig/os/workers.h"
#include "libdig/remote/remote_layout.h"

namespace dig {

constexpr std::size_t racers = 8;

static std::string text_of_writer(std::size_t number) { return "writer " + std::to_string(number); }

// The numbers of those who are told that they made the object.
static std::vector<std::size_t> winners_of_race(const std::function<std::unique_ptr<RemoteObjects>()> &start,
	const std::string &key)
{
	std::vector<std::unique_ptr<RemoteObjects>> writers;
	for (std::size_t i = 0; i < racers; i++)
		writers.push_back(start());
	std::vector<char> has_won(racers);
	std::atomic<std::size_t> next = 0;
	Workers workers;
	const auto race = [&] {
		const std::size_t own = next++;
		has_won[own] = writers[own]->put_new(key, bytes_of(text_of_writer(own)));
	};
	workers.start(racers - 1, race);
	workers.run(race);
	workers.join();
	std::vector<std::size_t> winners;
	for (std::size_t i = 0; i < racers; i++)
		if (has_won[i])
			winners.push_back(i);
	return winners;
}

// Of a place where nothing can be made there is only what somebody else has made.
static void check_reading(RemoteObjects &objects, RemoteVerdict &verdict)
{
	const std::optional<Buffer> all = objects.get_small(description_key, 4096);
	if (!all) {
		verdict.faults.push_back("there is nothing that 'dig push' has made, and nothing can be made");
		return;
	}
	const std::optional<RemoteObjects::Part> part = objects.get(description_key, 2, 3);
	if (!part || part->total != all->size() || all->size() < 5 ||
		!std::equal(part->bytes.begin(), part->bytes.end(), all->begin() + 2, all->begin() + 5))
		verdict.faults.push_back("a range of the object has other bytes");
}

RemoteVerdict check_remote(const std::function<std::unique_ptr<RemoteObjects>()> &start)
{
	const std::unique_ptr<RemoteObjects> objects = start();
	RemoteVerdict verdict;
	verdict.can = objects->check();
	if (verdict.can.ends_with("read only")) {
		check_reading(*objects, verdict);
		return verdict;
	}
	const std::string key = "check/" + to_hex(random_digest());
	std::vector<std::size_t> winners;
	try {
		winners = winners_of_race(start, key);
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &error) {
		verdict.faults.emplace_back(error.what());
		objects->remove(key);
		return verdict;
	}
	if (winners.size() != 1)
		verdict.faults.push_back(std::to_string(winners.size()) + " of " + std::to_string(racers) +
			" writers of one object succeeded");
	const std::optional<Buffer> found = objects->get_small(key, 100);
	if (winners.size() == 1 && (!found || text_of(*found) != text_of_writer(winners[0])))
		verdict.faults.push_back("the object has other content than that of the writer who succeeded");
	const std::optional<RemoteObjects::Part> part = objects->get(key, 2, 3);
	if (!part || text_of(part->bytes) != "ite")
		verdict.faults.push_back("a range of the object has other bytes");
	bool is_listed = false;
	objects->list("check/", "", [&](const std::string &listed, std::uint64_t size) {
		is_listed = is_listed || (listed == key && size == text_of_writer(0).size());
	});
	if (!is_listed)
		verdict.faults.push_back("the object is not listed, or with another size");
	objects->remove(key);
	return verdict;
}

} // namespace dig
