// Several connections to one remote, for what can be asked for at the same time.
#ifndef DIG_CONNECTIONS_H
#define DIG_CONNECTIONS_H

#include <functional>
#include <memory>
#include <vector>

#include "libdig/remote/remote_objects.h"

namespace dig {

class Connections {
public:
	using Start = std::function<std::unique_ptr<RemoteObjects>()>;
	// first is there already; without start, there are no others.
	Connections(RemoteObjects &first, Start start) : first_(first), start_(std::move(start)) {}

	// Calls job with each number below count.  If there are many, several threads do, each with a connection of
	// its own; the first failure ends all.
	using Job = std::function<void(RemoteObjects &objects, std::size_t number)>;
	void each(std::size_t count, const Job &job);

private:
	RemoteObjects &first_;
	Start start_;
	std::vector<std::unique_ptr<RemoteObjects>> others_;
};

} // namespace dig

#endif
