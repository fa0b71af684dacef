#include "libdig/base/byte_size.h"
#include "libdig/base/suggestion.h"
#include "libdig/chunking/gear.h"
#include "libdig/chunking/sha256_lanes.h"
#include "libdig/os/clock.h"
#include "libdig/store/evidence.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/verbs/repack.h"

using namespace dig;

static constexpr char usage[] = "dig-info [-z] [KEY...]";

struct Key {
	const char *name;
	std::string (*value)(Store &);
};

// OFFSET:SIZE, from which offset on chunks have which mean size.
static std::string chunking_text(const ChunkingParameters &chunking)
{
	std::string text;
	std::uint64_t last = 0;
	for (std::uint64_t offset : {std::uint64_t(0), chunking.small_file_threshold, chunking.medium_file_threshold,
		     chunking.huge_file_threshold}) {
		const std::uint64_t size = chunking.target_at(offset);
		if (size != last)
			text += (text.empty() ? "" : " ") + exact_size_text(offset) + ':' + exact_size_text(size);
		last = size;
	}
	return text;
}

static const Key keys[] = {
	{"root", [](Store &store) { return to_hex(store.roots().tip_root()); }},
	{"manifest-root",
		[](Store &store) {
			return to_hex(store.head_manifest().value_or(empty_root(TreeKind::manifest)));
		}},
	{"generation", [](Store &store) { return std::to_string(store.roots().size()); }},
	{"store-id", [](Store &store) { return to_hex(store.id()); }},
	{"layers", [](Store &store) { return std::to_string(store.roots().size()); }},
	{"layer-files", [](Store &store) { return std::to_string(layer_file_count(store)); }},
	{"pending", [](Store &store) { return std::to_string(pending_bytes(store)); }},
	{"verified",
		[](Store &store) {
			return Evidence::is_kept(store.paths())
				? evidence_text(Evidence::load(store.paths()).summary(store, seconds_of(now_ns())))
				: std::string("not noted");
		}},
	{"chunking", [](Store &store) { return chunking_text(store.chunking()); }},
	{"store", [](Store &store) { return quoted_record(store.paths().store); }},
	{"work-tree", [](Store &store) { return quoted_record(store.paths().work_tree); }},
};

static std::string kernels()
{
	return "gear=" + std::string(gear_kernel()) + " sha256=" + std::string(sha256_kernel());
}

static std::vector<std::string> key_names()
{
	std::vector<std::string> names{"kernels"};
	for (const Key &key : keys)
		names.emplace_back(key.name);
	return names;
}

static int info(Options &options)
{
	bool nul = false;
	std::vector<std::string> names;
	options.flag("", 'z', nul, "end values with NUL").positional(names).parse();
	Output &out = standard_output();
	out.set_end(record_end(nul));
	std::optional<Store> store;
	const auto opened = [&]() -> Store & { return store ? *store : store.emplace(get_store()); };
	if (names.empty()) {
		for (const Key &key : keys)
			out.record(std::string(key.name) + ' ' + key.value(opened()));
		out.record("kernels " + kernels());
		return exit_status::done;
	}
	for (const std::string &name : names) {
		if (name == "kernels") {
			out.record(kernels());
			continue;
		}
		const Key *found = nullptr;
		for (const Key &key : keys)
			if (name == key.name)
				found = &key;
		if (!found)
			throw UsageError("no such key: " + quote(name) + "; there are root, manifest-root, generation, "
				"store-id, layers, layer-files, pending, verified, chunking, store, work-tree, kernels" +
				did_you_mean(name, key_names()));
		out.record(found->value(opened()));
	}
	return exit_status::done;
}

int dig_info_main(int argc, char **argv) { return run(argc, argv, usage, info); }
