// dig-prove: what a store has, as a proof that somebody without the store can check.
#include <cstdlib>

#include "libdig/base/path.h"
#include "libdig/format/urn.h"
#include "libdig/os/output_file.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/store/stores_by_id.h"
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/proof_reader.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/prover.h"

using namespace dig;

static constexpr char usage[] =
	"dig-prove [--at=ROOT] [--range=a-b | --chunk=ID] [--checkpoint[=FILE]]\n"
	"          [-o FILE [--data]] PATH|ROOT:PATH|LAYER:PATH|URN\n"
	"dig-prove --absent [--at=ROOT] [--checkpoint[=FILE]] [-o FILE] PATH|ROOT:PATH\n"
	"dig-prove --state [--checkpoint[=FILE]] [-o FILE] [ROOT]\n"
	"dig-prove --consistency [--checkpoint[=FILE]] [-o FILE] ROOT [ROOT]\n"
	"dig-prove --stdin [-z] [--at=ROOT] [--checkpoint[=FILE]]";

namespace {

struct Wanted {
	std::optional<std::string> at;
	std::optional<ByteRange> range;
	std::optional<Digest> chunk;
	bool is_absent = false, is_state = false, is_consistency = false, with_data = false;
	std::optional<std::string> file, checkpoint;
};

// What is named, and where it is.
struct Subject {
	std::string root, path;
	std::shared_ptr<Layer> layer;
	bool is_typed = false; // relative to the current directory
};

} // namespace

static Subject subject_of(const std::string &name, Wanted &wanted)
{
	if (looks_like_urn(name)) {
		const Urn urn = parse_urn(name);
		if (urn.has_store)
			::setenv("DIG_DIR", find_store_by_id(urn.store_id).c_str(), 1);
		if (urn.range && (wanted.range || wanted.chunk))
			throw UsageError("the URN has a range already");
		if (urn.range)
			wanted.range = urn.range;
		return {urn.root ? to_hex(*urn.root) : wanted.at.value_or("HEAD"), urn.path, nullptr};
	}
	if (!wanted.at)
		if (const std::optional<LayerName> layer = layer_in(name))
			return {"HEAD", layer->path, open_layer_at(layer->place)};
	const std::size_t colon = name.find(':');
	if (wanted.at || colon == name.npos)
		return {wanted.at.value_or("HEAD"), name, nullptr, true};
	return {name.substr(0, colon), name.substr(colon + 1), nullptr};
}

static void use_checkpoint(
	Prover &prover, const Store &store, const std::optional<std::string> &name)
{
	if (!name)
		return;
	if (!name->empty()) {
		prover.set_note(SignedNote::parse(text_in(*name, max_note_size)));
		return;
	}
	const std::optional<SignedNote> note = find_signed_checkpoint(store.paths());
	if (!note)
		throw Error("no checkpoint was signed here yet; 'dig checkpoint --sign=KEY' signs one");
	prover.set_note(*note);
}

static Prover::Proof prove_subject(
	Store &store, Prover &prover, const Subject &subject, const Wanted &wanted)
{
	const std::uint64_t generation = store.resolve(subject.root).generation;
	const std::string path = subject.path.empty() ? ""
		: subject.is_typed && !subject.layer      ? stored_path(store.paths(), subject.path)
												  : normalised_path(subject.path, "", "/");
	if (path.empty())
		return prover.prove_state(generation);
	if (wanted.is_absent)
		return prover.prove_absence(generation, path);
	if (wanted.chunk)
		return prover.prove_chunk(generation, path, *wanted.chunk);
	return prover.prove_path(generation, path, wanted.range);
}

static void write_proof(const Wanted &wanted, const std::string &text)
{
	if (!wanted.file) {
		standard_output().write(text);
		return;
	}
	OutputFile out(*wanted.file);
	out.file().write(bytes_of(text));
	out.finish();
}

// The content goes first: with the proof, all is there.
static void write_data(Store &store, const Prover::Proof &proof, const Wanted &wanted)
{
	OutputFile out(*wanted.file + ".data");
	ReadPipeline(store).read(
		*proof.entry, proof.data, [&](Bytes bytes) { out.file().write(bytes); });
	out.finish();
}

static int prove_consistency(const Wanted &wanted, const std::vector<std::string> &names)
{
	Store store(get_store());
	Prover prover(store);
	use_checkpoint(prover, store, wanted.checkpoint);
	const std::uint64_t older = store.resolve(names[0]).generation;
	const std::uint64_t newer = names.size() > 1 ? store.resolve(names[1]).generation
		: wanted.checkpoint                      ? prover.noted_size()
												 : store.resolve("HEAD").generation;
	write_proof(wanted, prover.prove_consistency(older, newer));
	return exit_status::done;
}

// Each reply is "<size>" and a newline, the proof, and a newline; or the request and why there is none.
static int prove_many(Wanted &wanted, RecordEnd end)
{
	Store store(get_store());
	Prover prover(store);
	use_checkpoint(prover, store, wanted.checkpoint);
	const std::uint64_t generation = store.resolve(wanted.at.value_or("HEAD")).generation;
	RecordReader requests = RecordReader::standard_input(end);
	Output &out = standard_output();
	out.set_end(end);
	int status = exit_status::done;
	while (const std::optional<std::string> path = requests.next_path()) {
		try {
			const Prover::Proof proof =
				prover.prove_path(generation, normalised_path(*path, "", "/"), {});
			out.record(std::to_string(proof.text.size()));
			out.write(proof.text);
			out.record("");
		} catch (const NegativeAnswer &) {
			out.path(*path);
			out.record(" missing");
			status = exit_status::no;
		}
		if (!requests.has_next())
			out.flush();
	}
	return status;
}

static int prove(Options &options)
{
	Wanted wanted;
	bool from_stdin = false, nul = false;
	std::vector<std::string> names;
	options.value("at", 0, wanted.at, "ROOT", "in this state; else in the newest one")
		.value("range", 0, wanted.range, "a-b", "only these bytes: a-b, a- or -n")
		.value(
			"chunk", 0,
			[&](const std::string &text) {
				wanted.chunk = parse_digest(text);
				if (!wanted.chunk)
					throw UsageError("--chunk takes the 64 digits of a chunk, not " + quote(text));
			},
			"ID", "that the file has this chunk, and where")
		.flag("absent", 0, wanted.is_absent, "that nothing is at the path or below it")
		.flag("state", 0, wanted.is_state, "that the state is in the history")
		.flag(
			"consistency", 0, wanted.is_consistency, "that the second state goes on from the first")
		.optional_value("checkpoint", 0, wanted.checkpoint, "FILE",
			"lead to this checkpoint; else to the last signed")
		.value("output", 'o', wanted.file, "FILE", "write there instead of to standard output")
		.flag("data", 0, wanted.with_data, "write the content that is proved to FILE.data")
		.flag("stdin", 0, from_stdin, "prove each path on standard input")
		.flag("", 'z', nul, "with --stdin: paths and replies end with NUL")
		.positional(names, 0, 2)
		.parse();
	if (wanted.is_absent + wanted.is_state + wanted.is_consistency + from_stdin +
				(wanted.range || wanted.chunk) >
			1 ||
		(wanted.range && wanted.chunk))
		throw UsageError("these options ask for different proofs");
	if (wanted.with_data &&
		(!wanted.file || wanted.is_absent || wanted.is_state || wanted.is_consistency))
		throw UsageError("--data goes with -o FILE and a proof of content");
	if (nul && !from_stdin)
		throw UsageError("-z goes with --stdin only");
	if (from_stdin ? !names.empty() || wanted.file
				   : names.size() > (wanted.is_consistency ? 2u : 1u))
		throw UsageError("too many names");
	if (from_stdin)
		return prove_many(wanted, record_end(nul));
	if (names.empty() && !wanted.is_state)
		throw UsageError("nothing named that is to be proved");
	if (wanted.is_consistency)
		return prove_consistency(wanted, names);
	const Subject subject = wanted.is_state
		? Subject{names.empty() ? wanted.at.value_or("HEAD") : names[0], "", nullptr}
		: subject_of(names[0], wanted);
	Store store = subject.layer ? Store(subject.layer) : Store(get_store());
	Prover prover(store);
	if (subject.layer && wanted.checkpoint)
		throw UsageError("a layer by itself has no checkpoint beside it");
	use_checkpoint(prover, store, wanted.checkpoint);
	const Prover::Proof proof = prove_subject(store, prover, subject, wanted);
	if (wanted.with_data) {
		if (!proof.entry)
			throw UsageError("--data goes with a proof of content");
		write_data(store, proof, wanted);
	}
	write_proof(wanted, proof.text);
	return exit_status::done;
}

int dig_prove_main(int argc, char **argv) { return run(argc, argv, usage, prove); }
