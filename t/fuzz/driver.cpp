// Runs a fuzz target with mutations that depend on the seed alone, so that a run can be repeated.
// Built with libFuzzer (make fuzz with clang) its engine leads, and DIG_FUZZ_TARGET names the target.
//
//	fuzz --list
//	fuzz TARGET [--runs=N] [--seconds=N] [--seed=N] [SEED-FILE-OR-DIRECTORY...]
//	fuzz TARGET --replay FILE...
//	fuzz TARGET --write-seeds=DIRECTORY [SEED-FILE-OR-DIRECTORY...]
//
// It says how many runs there were.  At a finding the input is left in finding-TARGET-N, N being the
// number of the run, and the process ends as the finding ended it.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libdig/base/error.h"
#include "t/fuzz/fuzz.h"

using namespace dig;
namespace fs = std::filesystem;

// A parser with a mistake, by which t1900 sees that one is found.
static void run_selftest(Bytes input) { require(input.size() < 4 || text_of(input.first(3)) != "DIG" || input[3] < 0x80, "a mistake"); }

static std::vector<Buffer> selftest_seeds() { return {seed("DIG and more"), seed("other")}; }

static const FuzzTarget selftest = {"selftest", "", selftest_seeds, run_selftest, nullptr};

static const FuzzTarget &target_named(std::string_view name)
{
	if (name == selftest.name)
		return selftest;
	for (const FuzzTarget &target : fuzz_targets())
		if (target.name == name)
			return target;
	std::fprintf(stderr, "fuzz: no target '%s'; --list lists them\n", std::string(name).c_str());
	std::exit(129);
}

static void run_once(const FuzzTarget &target, Bytes input)
{
	try {
		target.run(input);
	} catch (const Error &) {
		// Refused, as it may be.
	}
}

#ifdef DIG_LIBFUZZER

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static const FuzzTarget &target = target_named(std::getenv("DIG_FUZZ_TARGET") ? std::getenv("DIG_FUZZ_TARGET") : "");
	run_once(target, Bytes(data, size));
	return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size, std::size_t most, unsigned number)
{
	static const FuzzTarget &target = target_named(std::getenv("DIG_FUZZ_TARGET") ? std::getenv("DIG_FUZZ_TARGET") : "");
	size = LLVMFuzzerMutate(data, size, most);
	if (!target.repair || number % 4 == 0)
		return size;
	Buffer bytes(data, data + size);
	target.repair(bytes);
	std::memcpy(data, bytes.data(), size);
	return size;
}

#else

// --- a finding ----------------------------------------------------------------------------------

// What the handler of a signal needs: the input, and the name of the file for it.
static const Buffer *current_input;
static char finding_name[100];

static void keep_finding(int signal)
{
	const int fd = ::open(finding_name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd >= 0 && current_input)
		if (::write(fd, current_input->data(), current_input->size()) < 0)
			::_exit(128);
	static constexpr char said[] = "fuzz: a finding, kept in ";
	if (::write(2, said, sizeof said - 1) < 0 || ::write(2, finding_name, std::strlen(finding_name)) < 0 || ::write(2, "\n", 1) < 0)
		::_exit(128);
	::signal(signal, SIG_DFL);
	::raise(signal);
}

static void watch_for_findings()
{
	for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM, SIGXCPU})
		::signal(signal, keep_finding);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	// A count that is believed before it is checked shows as a failed allocation.
	const rlimit limit{rlim_t(1) << 30, rlim_t(1) << 30};
	::setrlimit(RLIMIT_AS, &limit);
#endif
}

// --- mutations ----------------------------------------------------------------------------------

using Random = std::mt19937_64;

static std::size_t below(Random &random, std::size_t limit) { return limit == 0 ? 0 : random() % limit; }

static void set_number(Buffer &bytes, Random &random)
{
	static constexpr std::uint64_t numbers[] = {0, 1, 2, 31, 32, 127, 128, 255, 256, 511, 512, 513, 4095, 4096, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
	const std::size_t size = std::size_t(1) << below(random, 4), at = below(random, bytes.size());
	std::uint64_t number = numbers[below(random, std::size(numbers))];
	if (below(random, 3) == 0) {
		number = 0;
		std::memcpy(&number, bytes.data() + at, std::min(size, bytes.size() - at));
		number += below(random, 2) ? 1 : -1;
	}
	std::memcpy(bytes.data() + at, &number, std::min(size, bytes.size() - at));
}

static void mutate_once(Buffer &bytes, Random &random, const Buffer &other)
{
	const std::size_t at = below(random, bytes.size()), size = below(random, std::min<std::size_t>(bytes.size() - at, 256)) + 1;
	const auto place = [&](std::size_t offset) { return bytes.begin() + static_cast<std::ptrdiff_t>(offset); };
	if (bytes.empty()) {
		bytes.push_back(static_cast<std::uint8_t>(random()));
		return;
	}
	switch (below(random, 9)) {
	case 0: bytes[at] ^= static_cast<std::uint8_t>(1 << below(random, 8)); break;
	case 1: bytes[at] = static_cast<std::uint8_t>(random()); break;
	case 2:
	case 3: set_number(bytes, random); break;
	case 4: bytes.erase(place(at), place(std::min(at + size, bytes.size()))); break;
	case 5: bytes.insert(place(at), size, static_cast<std::uint8_t>(random())); break;
	case 6: { // a piece of it once more
		const Buffer piece(place(at), place(std::min(at + size, bytes.size())));
		bytes.insert(place(below(random, bytes.size())), piece.begin(), piece.end());
		break;
	}
	case 7: { // a piece of another seed over it
		const std::size_t from = below(random, other.size()), length = std::min({size, other.size() - from, bytes.size() - at});
		std::memcpy(bytes.data() + at, other.data() + from, length);
		break;
	}
	case 8:
		if (below(random, 4) == 0)
			bytes.resize(at);
		break;
	}
}

static Buffer mutated(const std::vector<Buffer> &seeds, const FuzzTarget &target, Random &random)
{
	Buffer bytes = seeds[below(random, seeds.size())];
	const Buffer &other = seeds[below(random, seeds.size())];
	for (std::size_t i = 0, count = 1 + below(random, 5); i < count; i++)
		mutate_once(bytes, random, other);
	if (target.repair && below(random, 4) != 0)
		target.repair(bytes);
	return bytes;
}

// --- the command --------------------------------------------------------------------------------

static Buffer content_of(const fs::path &path)
{
	std::ifstream file(path, std::ios::binary);
	return Buffer(std::istreambuf_iterator<char>(file), {});
}

static std::vector<Buffer> seeds_of(const FuzzTarget &target, const std::vector<std::string> &paths)
{
	std::vector<Buffer> seeds = target.seeds();
	const auto add = [&](const fs::path &path) {
		Buffer bytes = content_of(path);
		if (!target.magic.empty() && text_of(bytes).starts_with(target.magic))
			seeds.push_back(std::move(bytes));
	};
	for (const std::string &path : paths) {
		if (!fs::is_directory(path)) {
			add(path);
			continue;
		}
		std::vector<fs::path> files;
		for (const fs::directory_entry &entry : fs::recursive_directory_iterator(path))
			if (entry.is_regular_file())
				files.push_back(entry.path());
		std::sort(files.begin(), files.end());
		for (const fs::path &file : files)
			add(file);
	}
	return seeds;
}

struct Arguments {
	std::uint64_t runs = ~std::uint64_t(0), seconds = 10, seed = 1;
	bool is_replay = false;
	std::string seed_directory;
	std::vector<std::string> paths;
};

static Arguments parse(int argc, char **argv)
{
	Arguments arguments;
	for (int i = 2; i < argc; i++) {
		const std::string_view argument = argv[i];
		const auto number = [&](std::string_view name, std::uint64_t &value) {
			if (!argument.starts_with(name))
				return false;
			value = std::strtoull(argv[i] + name.size(), nullptr, 10);
			return true;
		};
		if (argument == "--replay")
			arguments.is_replay = true;
		else if (argument.starts_with("--write-seeds="))
			arguments.seed_directory = argument.substr(argument.find('=') + 1);
		else if (!number("--runs=", arguments.runs) && !number("--seconds=", arguments.seconds) && !number("--seed=", arguments.seed))
			arguments.paths.emplace_back(argument);
	}
	return arguments;
}

static void try_input(const FuzzTarget &target, const Buffer &input, std::uint64_t number)
{
	std::snprintf(finding_name, sizeof finding_name, "finding-%s-%llu", std::string(target.name).c_str(),
		static_cast<unsigned long long>(number));
	current_input = &input;
	::alarm(30);
	run_once(target, input);
	::alarm(0);
	current_input = nullptr;
}

static int write_seeds(const std::vector<Buffer> &seeds, const std::string &directory)
{
	for (std::size_t i = 0; i < seeds.size(); i++) {
		std::ofstream file(directory + "/seed-" + std::to_string(i), std::ios::binary);
		file.write(reinterpret_cast<const char *>(seeds[i].data()), static_cast<std::streamsize>(seeds[i].size()));
	}
	return 0;
}

static int fuzz(const FuzzTarget &target, const Arguments &arguments)
{
	const std::vector<Buffer> seeds = seeds_of(target, arguments.paths);
	if (seeds.empty()) {
		std::fprintf(stderr, "fuzz: no seeds for %s; name t/golden\n", std::string(target.name).c_str());
		return 129;
	}
	if (!arguments.seed_directory.empty())
		return write_seeds(seeds, arguments.seed_directory);
	std::uint64_t number = 0;
	for (const Buffer &input : seeds)
		try_input(target, input, number++);
	Random random(arguments.seed);
	const std::time_t begin = std::time(nullptr);
	while (number < arguments.runs && std::time(nullptr) - begin < static_cast<std::time_t>(arguments.seconds)) {
		const Buffer input = mutated(seeds, target, random);
		try_input(target, input, number++);
	}
	std::printf("%s: %llu runs, %zu seeds, no finding\n", std::string(target.name).c_str(),
		static_cast<unsigned long long>(number), seeds.size());
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && std::string_view(argv[1]) == "--list") {
		for (const FuzzTarget &target : fuzz_targets())
			std::puts(std::string(target.name).c_str());
		return 0;
	}
	if (argc < 2) {
		std::fputs("usage: fuzz --list\n   or: fuzz TARGET [--runs=N] [--seconds=N] [--seed=N] [SEEDS...]\n"
			   "   or: fuzz TARGET --replay FILE...\n", stderr);
		return 129;
	}
	const FuzzTarget &target = target_named(argv[1]);
	const Arguments arguments = parse(argc, argv);
	watch_for_findings();
	if (!arguments.is_replay)
		return fuzz(target, arguments);
	for (const std::string &path : arguments.paths)
		try_input(target, content_of(path), 0);
	std::printf("%s: %zu runs, no finding\n", std::string(target.name).c_str(), arguments.paths.size());
	return 0;
}

#endif
