// slow-ingest WORKERS TARGET NS BYTES FILE... prints how many MiB a second ingest takes, when the look-up
// of a chunk sleeps NS nanoseconds for each of its bytes.
//
// A sleep needs no core.  So a machine of two cores shows how the work is divided among many.  TARGET is
// the size of chunks in bytes, or 0 for the tiers.  The files are read in their order, again and again,
// until they were BYTES together.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <thread>

#include "libdig/ingest/ingest.h"
#include "libdig/os/beneath.h"

using namespace dig;

namespace {

class SleepingSink : public IngestSink {
public:
	explicit SleepingSink(std::uint64_t ns) : ns_(ns) {}

	bool stores_content() const override { return true; }
	bool claim(const Digest &, Bytes bytes) override
	{
		std::this_thread::sleep_for(std::chrono::nanoseconds(bytes.size() * ns_));
		return false;
	}
	void take(const IngestedUnit &unit) override
	{
		for (const IngestedUnit::Part &part : unit.parts)
			for (const ChunkRef &chunk : part.chunks)
				taken += chunk.size * chunk.count;
	}

	std::uint64_t taken = 0;

private:
	std::uint64_t ns_;
};

} // namespace

int main(int argc, char **argv)
{
	if (argc < 6) {
		std::fputs("usage: slow-ingest WORKERS TARGET NS BYTES FILE...\n", stderr);
		return 129;
	}
	const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
	Settings settings;
	settings.performance.max_worker_threads = number(1);
	if (const char *const most = std::getenv("SLOW_INGEST_MEMORY"))
		settings.performance.max_memory_usage = std::strtoull(most, nullptr, 10);
	ChunkingParameters chunking;
	chunking.target = number(2);
	SleepingSink sink(number(3));
	const std::uint64_t wanted = number(4);

	const File root = File::open_with(".", O_RDONLY | O_DIRECTORY);
	const auto began = std::chrono::steady_clock::now();
	{
		Ingest ingest(settings, chunking, root, sink);
		std::uint64_t submitted = 0;
		for (int i = 5; submitted < wanted; i = i + 1 < argc ? i + 1 : 5) {
			Source source;
			source.path = argv[i];
			source.stat = find_stat_beneath(root, argv[i]);
			if (!source.stat)
				return 1;
			submitted += source.stat->size + 1;
			ingest.submit(std::move(source));
		}
		ingest.drain();
	}
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
	std::printf("%.1f\n", static_cast<double>(sink.taken) / took.count() / 1048576);
	return 0;
}
