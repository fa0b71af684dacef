#include "libdig/remote/connections.h"

#include <algorithm>
#include <atomic>

#include "libdig/os/process.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::size_t most_connections = 4;
// A connection costs as much as some requests.
constexpr std::size_t requests_for_one = 8;

void Connections::each(std::size_t count, const Job &job)
{
	const std::size_t wanted = start_ ? std::min(most_connections, count / requests_for_one + 1) : 1;
	while (others_.size() + 1 < wanted)
		others_.push_back(start_());
	std::atomic<std::size_t> next = 0, connection = 0;
	Workers workers;
	const auto work = [&] {
		const std::size_t own = connection++;
		RemoteObjects &objects = own == 0 ? first_ : *others_[own - 1];
		for (std::size_t i; !workers.is_stopped() && (i = next++) < count;) {
			check_interrupted();
			job(objects, i);
		}
	};
	workers.start(wanted - 1, work);
	workers.run(work);
	workers.join();
}

} // namespace dig
