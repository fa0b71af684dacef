#include <charconv>

#include "libdig/tool/command.h"
#include "libdig/tool/hash_sources.h"

using namespace dig;

static constexpr char usage[] = "dig-chunk [-z] [--target=SIZE] FILE...\n"
				"dig-chunk [-z] [--target=SIZE] --stdin";

// A hole may be millions of chunks: only the offset is another one in each record.
static void write_records(Output &out, const ChunkRef &chunks, RecordEnd end)
{
	std::string rest = ' ' + std::to_string(chunks.size) + ' ' + to_hex(chunks.id);
	rest += static_cast<char>(end);
	std::string records;
	for (std::uint64_t i = 0; i < chunks.count; i++) {
		char digits[20];
		const auto digits_end = std::to_chars(digits, digits + sizeof digits, chunks.offset + i * chunks.size).ptr;
		records.append(digits, digits_end);
		records += rest;
		if (records.size() >= 64_KiB) {
			out.write(records);
			records.clear();
		}
	}
	out.write(records);
}

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
	HashSources hash([](const std::string &message) { tell(message); }, target);
	hash.on_chunk([&](const ChunkRef &chunks) { write_records(out, chunks, record_end(nul)); });
	if (from_stdin)
		hash.add_stream(File::standard_input());
	for (const std::string &file : files)
		hash.add_file(file);
	return hash.finish() ? exit_status::done : exit_status::failed;
}

int dig_chunk_main(int argc, char **argv) { return run(argc, argv, usage, chunk); }
