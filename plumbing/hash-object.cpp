#include "libdig/tool/command.h"
#include "libdig/tool/hash_sources.h"

using namespace dig;

static constexpr char usage[] = "dig-hash-object [-w] [--target=SIZE] FILE...\n"
				"dig-hash-object [-w] [--target=SIZE] --stdin\n"
				"dig-hash-object [-wz] [--target=SIZE] --stdin-paths";

static int hash_object(Options &options)
{
	bool writes = false, nul = false, from_stdin = false, from_list = false;
	std::optional<std::uint64_t> target;
	std::vector<std::string> files;
	options.flag("", 'w', writes, "also stage the content")
		.flag("", 'z', nul, "paths and records end with NUL")
		.size("target", 0, target, "SIZE", "one mean chunk size; outside of a store only")
		.flag("stdin", 0, from_stdin, "hash standard input")
		.flag("stdin-paths", 0, from_list, "read paths from standard input")
		.positional(files)
		.parse();
	if (from_stdin + from_list + !files.empty() != 1)
		throw UsageError(files.empty() ? "no file given" : "give files, --stdin or --stdin-paths");
	Output &out = standard_output();
	out.set_end(record_end(nul));
	std::optional<Store> store;
	std::optional<StagingWriter> writer;
	HashSources hash([](const std::string &message) { tell(message); }, target);
	if (writes) {
		store.emplace(get_store());
		writer.emplace(*store);
		hash.store_in(*writer);
	}
	hash.on_root([&](const Digest &root) {
		out.record(to_hex(root));
		// Somebody may wait for the answer to each path.
		if (from_list)
			out.flush();
	});
	if (from_stdin)
		hash.add_stream(File::standard_input());
	for (const std::string &file : files)
		hash.add_file(file);
	if (from_list) {
		RecordReader list = RecordReader::standard_input(record_end(nul));
		while (const std::optional<std::string> path = list.next_path()) {
			hash.add_file(*path);
			// Whoever gives no more paths may wait for the answers to these.
			if (!list.has_next())
				hash.finish();
		}
	}
	const bool is_good = hash.finish();
	if (writer)
		writer->finish_loose();
	return is_good ? exit_status::done : exit_status::failed;
}

int dig_hash_object_main(int argc, char **argv) { return run(argc, argv, usage, hash_object); }
