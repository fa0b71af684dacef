#include "libdig/command.h"
#include "libdig/hash_sources.h"

using namespace dig;

static constexpr char usage[] = "dig-chunk [-z] [--target=SIZE] FILE...\n"
				"dig-chunk [-z] [--target=SIZE] --stdin";

static int chunk(Options &options)
{
	bool nul = false, from_stdin = false;
	std::optional<std::uint64_t> target;
	std::vector<std::string> files;
	options.flag("", 'z', nul, "end records with NUL")
		.size("target", 0, target, "SIZE", "one mean chunk size; outside of a store only")
		.flag("stdin", 0, from_stdin, "cut standard input")
		.positional(files)
		.parse();
	if (from_stdin != files.empty())
		throw UsageError(from_stdin ? "--stdin takes no file" : "no file given");
	Output &out = standard_output();
	out.set_end(record_end(nul));
	HashSources hash(target);
	hash.on_chunk([&](const ChunkRef &chunk) {
		out.record(std::to_string(chunk.offset) + ' ' + std::to_string(chunk.size) + ' ' + to_hex(chunk.id));
	});
	if (from_stdin)
		hash.add_stream(File::standard_input());
	for (const std::string &file : files)
		hash.add_file(file);
	return hash.finish() ? exit_status::done : exit_status::failed;
}

int main(int argc, char **argv) { return run(argc, argv, usage, chunk); }
