// slow-read NS BYTES ROOT:PATH [DIRECTORY] prints how many MiB a second are read, when a read sleeps NS
// nanoseconds for each of its bytes: of content that is handed out in order or, with DIRECTORY, of a state
// that is extracted there (PATH may be empty).  It ends when BYTES were read.
//
// A sleep needs no core.  So a machine of two cores shows how the work is divided among many.  The store
// is that of the current directory.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "libdig/store/read_pipeline.h"
#include "libdig/store/state_names.h"
#include "libdig/store/store_paths.h"
#include "libdig/verbs/checkout.h"

using namespace dig;

namespace {

constexpr std::size_t least_content = 16384; // of a read: less is an index or a node

std::atomic<std::uint64_t> done{0};
std::uint64_t ns_a_byte, wanted;
std::chrono::steady_clock::time_point began;

[[noreturn]] void end()
{
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
	std::printf("%.1f\n", static_cast<double>(done) / took.count() / 1048576);
	std::fflush(stdout);
	_exit(0);
}

} // namespace

// Before that of the C library.
extern "C" ssize_t pread(int fd, void *buffer, std::size_t size, off_t offset)
{
	const ssize_t n = syscall(SYS_pread64, fd, buffer, size, offset);
	if (n >= static_cast<ssize_t>(least_content)) {
		const auto bytes = static_cast<std::uint64_t>(n);
		std::this_thread::sleep_for(std::chrono::nanoseconds(bytes * ns_a_byte));
		if (done.fetch_add(bytes) + bytes >= wanted)
			end();
	}
	return n;
}

int main(int argc, char **argv)
{
	const std::string name = argc < 4 ? "" : argv[3];
	const std::optional<StatePath> named = split_state_path(name);
	if (argc < 4 || argc > 5 || !named) {
		std::fputs("usage: slow-read NS BYTES ROOT:PATH [DIRECTORY]\n", stderr);
		return 129;
	}
	Store store(find_store().value());
	const TreeRoot manifest = store.manifest(store.resolve(named->state).generation);
	const std::string path = named->path;
	ns_a_byte = std::strtoull(argv[1], nullptr, 10);
	wanted = std::strtoull(argv[2], nullptr, 10);
	began = std::chrono::steady_clock::now();
	if (argc == 5) {
		checkout(store, manifest, path.empty() ? std::vector<std::string>() : std::vector{path}, argv[4]);
		end();
	}
	TreeCursor cursor(TreeKind::manifest, manifest, store.nodes());
	cursor.seek(path);
	if (cursor.at_end() || cursor.path() != path)
		return 1;
	const Entry entry = cursor.entry();
	ReadPipeline(store).read(entry, {0, entry.size}, [](Bytes) {});
	end();
}
