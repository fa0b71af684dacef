// Damages the store in the current directory, one byte of one file after another, and looks each
// time whether a check tells, naming the file, and whether every path's content is what it was or
// an error.  One process does it all: a byte costs a millisecond.
//
//	flip-sweep [--cut | --grow] [--step=N] [FILE...]
//
// --cut takes bytes off the end instead, --grow appends some.  Files are relative to the store;
// without any, all that dig check covers.  Prints what was not noticed, and a count.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "libdig/base/error.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/verbs/verify.h"

using namespace dig;
namespace fs = std::filesystem;

// Of each path of the newest state: its entry, and the digest of its content.
using Contents = std::map<std::string, std::pair<Entry, Digest>>;

static Digest content_digest(ReadPipeline &pipeline, const Entry &entry)
{
	Hasher hasher;
	pipeline.read(entry, {0, entry.size}, [&](Bytes bytes) { hasher.update(bytes); });
	return hasher.finish();
}

static Contents read_contents()
{
	Contents contents;
	Store store(get_store());
	ReadPipeline pipeline(store);
	TreeCursor at(TreeKind::manifest, store.manifest(store.roots().size()), store.nodes());
	for (at.settle(); !at.at_end(); at.settle()) {
		const Entry entry = at.entry();
		contents[entry.path] = {entry, content_digest(pipeline, entry)};
		at.skip();
	}
	return contents;
}

// As dig-cat would: whatever else is wrong, a path's bytes are right or there is an error.  Returns
// the first path of which that is not so.
static std::optional<std::string> find_wrong(const Contents &contents)
{
	try {
		Store store(get_store());
		ReadPipeline pipeline(store);
		const TreeRoot manifest = store.manifest(store.roots().size());
		for (const auto &[path, expected] : contents) {
			try {
				const std::optional<Entry> entry = find_entry(manifest, path, store.nodes());
				if (!entry || !(*entry == expected.first) ||
					content_digest(pipeline, *entry) != expected.second)
					return path;
			} catch (const Error &) {
			}
		}
	} catch (const Error &) {
	}
	return {};
}

static std::string problems_of(const StorePaths &paths)
{
	std::string all;
	VerifyOptions options;
	options.problem = [&](const std::string &problem) { all += problem + "\n"; };
	// What is only a second copy is no problem.
	bool is_told = false;
	options.notice = [&](const std::string &notice) {
		if (notice.find("/states/") != notice.npos || notice.find("/changed-paths/") != notice.npos) {
			all += notice + "\n";
			is_told = true;
		}
	};
	options.damaged = [&](const VerifyOptions::DamagedBlock &damaged) { all += damaged.why + "\n"; };
	options.hurt = [&](const HurtPaths::Told &hurt) { all += hurt.path + ": " + hurt.why + "\n"; };
	const std::uint64_t count = verify_store(paths, options).problems;
	return count == 0 && !is_told ? "" : all.empty() ? "a problem without words" : all;
}

// A log of changed paths need not have all states, so what is cut between two records is whole.
static bool ends_with_a_record(const std::string &log, std::size_t size)
{
	std::size_t at = sizeof(Preamble);
	while (at < size)
		at += 8 + load<std::uint32_t>(bytes_of(log).data() + at);
	return at == size;
}

class Sweep {
public:
	Sweep() : paths_(get_store()), contents_(read_contents()) {}

	void flip(const std::string &name, std::size_t step)
	{
		const std::string content = content_of(name);
		std::fstream file(paths_.store + "/" + name, std::ios::binary | std::ios::in | std::ios::out);
		const auto put = [&](std::size_t at, char byte) {
			file.seekp(static_cast<std::streamoff>(at));
			file.put(byte).flush();
		};
		for (std::size_t i = 0; i < content.size(); i += step) {
			put(i, static_cast<char>(content[i] ^ (1 << (i / step) % 8)));
			look(name, "byte " + std::to_string(i));
			put(i, content[i]);
		}
	}

	void cut(const std::string &name, std::size_t step)
	{
		const std::string content = content_of(name);
		for (std::size_t size = 0; size < content.size(); size += step)
			if (!name.starts_with("changed-paths/") || !ends_with_a_record(content, size))
				with_content(name, content.substr(0, size), "cut to " + std::to_string(size));
		write(name, content);
	}

	void grow(const std::string &name)
	{
		const std::string content = content_of(name);
		for (const std::string &tail : {std::string(1, '\0'), std::string("x"), std::string(5000, '\0'), content})
			with_content(name, content + tail, "grown by " + std::to_string(tail.size()));
		write(name, content);
	}

	const StorePaths &paths() const { return paths_; }
	std::uint64_t count() const { return count_; }
	std::uint64_t missed() const { return missed_; }

private:
	std::string content_of(const std::string &name) const
	{
		std::ifstream in(paths_.store + "/" + name, std::ios::binary);
		return std::string((std::istreambuf_iterator<char>(in)), {});
	}
	void write(const std::string &name, const std::string &content) const
	{
		std::ofstream(paths_.store + "/" + name, std::ios::binary | std::ios::trunc) << content;
	}
	void with_content(const std::string &name, const std::string &content, const std::string &what)
	{
		write(name, content);
		look(name, what);
	}

	void look(const std::string &name, const std::string &what)
	{
		count_++;
		const std::string problems = problems_of(paths_);
		if (problems.empty())
			miss(name + ", " + what + ": the check is content");
		else if (problems.find(fs::path(name).filename().string()) == std::string::npos)
			miss(name + ", " + what + ": the check does not name it: " + problems);
		if (const std::optional<std::string> path = find_wrong(contents_))
			miss(name + ", " + what + ": wrong content of " + *path);
	}
	void miss(const std::string &text)
	{
		if (missed_++ < 50)
			std::cout << text << '\n' << std::flush;
	}

	StorePaths paths_;
	Contents contents_;
	std::uint64_t count_ = 0, missed_ = 0;
};

// Everything but the settings, the locks and what is being written.
static std::vector<std::string> covered_files(const std::string &store)
{
	std::vector<std::string> names;
	for (const auto &entry : fs::recursive_directory_iterator(store)) {
		const std::string name = fs::relative(entry.path(), store).string();
		if (entry.is_regular_file() && name != "config.toml" && name != "reserve" && name != "lock" &&
			name != "staging/lock" && !name.starts_with("tmp/"))
			names.push_back(name);
	}
	std::sort(names.begin(), names.end());
	return names;
}

static int sweep(int argc, char **argv)
{
	enum { flip, cut, grow } mode = flip;
	std::size_t step = 1;
	std::vector<std::string> names;
	for (int i = 1; i < argc; i++) {
		const std::string word = argv[i];
		if (word == "--cut")
			mode = cut;
		else if (word == "--grow")
			mode = grow;
		else if (word.starts_with("--step="))
			step = std::stoul(word.substr(7));
		else
			names.push_back(word);
	}
	Sweep sweep;
	if (!problems_of(sweep.paths()).empty())
		throw Error("the store is damaged before anything was done to it");
	for (const std::string &name : names.empty() ? covered_files(sweep.paths().store) : names) {
		if (mode == flip)
			sweep.flip(name, step);
		else if (mode == cut)
			sweep.cut(name, step);
		else
			sweep.grow(name);
	}
	if (!problems_of(sweep.paths()).empty())
		throw Error("the store is damaged after everything was put back");
	std::cout << sweep.count() << " damages, " << sweep.missed() << " missed\n" << std::flush;
	return sweep.missed() ? 1 : 0;
}

int main(int argc, char **argv)
{
	try {
		return sweep(argc, argv);
	} catch (const Error &error) {
		std::cerr << "flip-sweep: " << error.what() << '\n';
		return error.status();
	}
}
