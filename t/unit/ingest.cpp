// What a sink gets, and in which order.
#include "libdig/ingest/ingest.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

std::string noise(std::size_t size, unsigned seed)
{
	std::mt19937 random(seed);
	std::string bytes(size, '\0');
	for (char &byte : bytes)
		byte = static_cast<char>(random());
	return bytes;
}

// Notes what it is given, and checks each call against those before.
class NotingSink : public IngestSink {
public:
	struct Taken {
		std::uint64_t size = 0, chunks = 0;
		bool is_finished = false;
		SourceOutcome outcome;
		Digest root;
	};

	~NotingSink() override { BOOST_TEST(wrong_ == std::vector<std::string>()); }

	bool stores_content() const override { return stores; }
	bool claim(const Digest &id, Bytes) override
	{
		std::lock_guard guard(mutex_);
		return claimed.insert(id).second;
	}
	void take(const IngestedUnit &unit) override
	{
		std::lock_guard guard(mutex_);
		expect(!has_thrown_, "a unit came after the sink had failed");
		std::set<Digest> of_unit;
		for (const IngestedUnit::Part &part : unit.parts) {
			take_part(part);
			for (const ChunkRef &chunk : part.chunks)
				of_unit.insert(chunk.id);
		}
		for (const ReadyBlock &block : unit.blocks)
			for (const Digest &id : block.digests) {
				expect(of_unit.contains(id), "a block holds a chunk of another unit");
				expect(stored.insert(id).second, "a chunk came twice");
			}
		if (unit_to_fail_at && ++units_ == unit_to_fail_at) {
			has_thrown_ = true;
			throw Error("the store is full");
		}
	}

	bool stores = true;
	std::size_t unit_to_fail_at = 0;
	std::set<Digest> claimed, stored;
	std::map<std::string, Taken> taken;
	std::vector<std::string> order; // of outcomes

private:
	void take_part(const IngestedUnit::Part &part)
	{
		Taken &source = taken[part.source->path];
		expect(!source.is_finished, "something came behind an outcome");
		const NodeSink nowhere = [](const Digest &, Bytes) {};
		part.source->append_to_tree(part.chunks, nowhere);
		for (const ChunkRef &chunk : part.chunks) {
			expect(chunk.offset == source.size, "a chunk lies elsewhere than behind the one before");
			expect(!stores || claimed.contains(chunk.id), "a chunk came that was not claimed");
			source.size = chunk.end();
			source.chunks += chunk.count;
		}
		if (!part.outcome)
			return;
		source.is_finished = true;
		source.outcome = *part.outcome;
		source.root = part.source->finish_tree(nowhere);
		order.push_back(part.source->path);
	}

	// The checks of Boost.Test are for one thread, and units come in another one.
	void expect(bool is_so, const char *otherwise)
	{
		if (!is_so)
			wrong_.push_back(otherwise);
	}

	std::mutex mutex_;
	std::size_t units_ = 0;
	bool has_thrown_ = false;
	std::vector<std::string> wrong_;
};

// Small files and large ones in a directory, and how they are submitted.
struct Files {
	Scratch scratch;
	File root = File::open_with(scratch.path, O_RDONLY | O_DIRECTORY);
	std::vector<std::string> names;

	void add(const std::string &name, const std::string &content)
	{
		std::ofstream(scratch.path + "/" + name) << content;
		names.push_back(name);
	}
	void add_many()
	{
		add("empty", "");
		for (unsigned i = 0; i < 300; i++)
			add("small" + std::to_string(i), noise(i * 37 % 5000 + 1, i % 200));
		add("large", noise(11000000, 1));
		add("behind", "a small one behind a large one");
		add("large2", std::string(3000000, 'x') + noise(6000000, 2));
	}
	void submit_to(Ingest &ingest)
	{
		for (const std::string &name : names) {
			Source source;
			source.path = name;
			source.stat = find_stat_beneath(root, name);
			BOOST_REQUIRE(source.stat);
			ingest.submit(std::move(source));
		}
	}
};

Settings settings_for(std::uint64_t workers)
{
	Settings settings;
	settings.performance.max_worker_threads = workers;
	settings.performance.batch_size = 50;
	return settings;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ingest)

BOOST_AUTO_TEST_CASE(sources_come_in_the_order_of_submission_with_chunks_before_their_outcome)
{
	Files files;
	files.add_many();
	std::map<std::string, Digest> roots;
	for (std::uint64_t workers : {1, 4}) {
		NotingSink sink;
		Work work;
		{
			Ingest ingest(settings_for(workers), {}, files.root, sink, work);
			files.submit_to(ingest);
			ingest.drain();
		}
		BOOST_TEST(sink.order == files.names);
		BOOST_CHECK_EQUAL(work.files.get(), files.names.size());
		BOOST_CHECK(sink.stored == sink.claimed);
		for (const auto &[name, taken] : sink.taken) {
			BOOST_CHECK_EQUAL(taken.outcome.error, "");
			BOOST_CHECK_EQUAL(taken.size, taken.outcome.stat.size);
			const auto [known, is_first] = roots.emplace(name, taken.root);
			BOOST_CHECK(is_first || known->second == taken.root);
		}
		BOOST_CHECK_GT(sink.taken.at("large").chunks, 1);
		BOOST_CHECK(sink.taken.at("large").outcome.has_new);
		BOOST_CHECK(!sink.taken.at("empty").outcome.has_new);
		BOOST_CHECK(sink.taken.at("empty").root == empty_root(TreeKind::chunk_list));
	}
}

BOOST_AUTO_TEST_CASE(a_sink_that_stores_nothing_is_asked_for_nothing)
{
	Files files;
	files.add_many();
	NotingSink sink;
	sink.stores = false;
	{
		Ingest ingest(settings_for(2), {}, files.root, sink);
		files.submit_to(ingest);
		ingest.drain();
	}
	BOOST_TEST(sink.order == files.names);
	BOOST_CHECK(sink.claimed.empty() && sink.stored.empty());
	BOOST_CHECK(!sink.taken.at("large").outcome.has_new);
}

BOOST_AUTO_TEST_CASE(a_source_that_cannot_be_read_has_an_outcome_without_chunks)
{
	Files files;
	files.add("a", "content");
	files.add("gone", "content");
	files.add("z", noise(5000000, 3));
	NotingSink sink;
	{
		Ingest ingest(settings_for(2), {}, files.root, sink);
		for (const std::string &name : files.names) {
			Source source;
			source.path = name;
			source.stat = find_stat_beneath(files.root, name);
			if (name == "gone")
				std::filesystem::remove(files.scratch.path + "/gone");
			ingest.submit(std::move(source));
		}
		ingest.drain();
	}
	BOOST_TEST(sink.order == files.names);
	BOOST_CHECK(sink.taken.at("gone").outcome.error.find("No such file") != std::string::npos);
	BOOST_CHECK_EQUAL(sink.taken.at("gone").chunks, 0);
	BOOST_CHECK_EQUAL(sink.taken.at("z").size, 5000000);
}

BOOST_AUTO_TEST_CASE(a_sink_that_fails_ends_the_ingest_and_gets_nothing_more)
{
	Files files;
	files.add_many();
	NotingSink sink;
	sink.unit_to_fail_at = 2;
	Ingest ingest(settings_for(4), {}, files.root, sink);
	const auto run = [&] {
		files.submit_to(ingest);
		ingest.drain();
	};
	BOOST_CHECK_EXCEPTION(run(), Error,
		[](const Error &error) { return std::string(error.what()) == "the store is full"; });
}

BOOST_AUTO_TEST_SUITE_END()
