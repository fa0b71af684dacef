// dig checkpoint: the history of the store as a note that is signed, and that others can follow.
#include "libdig/os/lock.h"
#include "libdig/os/publish.h"
#include "libdig/tool/command.h"
#include "libdig/tool/proof_reader.h"
#include "libdig/verbs/prover.h"

using namespace dig;

static constexpr char usage[] = "dig-checkpoint [--sign=FILE] [ROOT]\n"
								"dig-checkpoint --last\n"
								"dig-checkpoint --cosign=FILE|-";

static void print(const SignedNote &note) { standard_output().write(note.encoded()); }

static void keep(const StorePaths &paths, const SignedNote &note)
{
	publish_file(paths.checkpoint(), bytes_of(note.encoded()));
}

// Nothing is signed that contradicts what was signed before: whoever has seen the last checkpoint could not follow.
static SignedNote sign(Store &store, Prover &prover, std::uint64_t generation, const SignerKey &key)
{
	const Lock lock = Lock::acquire(store.paths().lock());
	const Checkpoint checkpoint = prover.checkpoint(generation);
	SignedNote note{checkpoint.text(), {}};
	if (const std::optional<SignedNote> last = find_signed_checkpoint(store.paths())) {
		const Checkpoint before = Checkpoint::parse(last->text);
		if (before.origin != checkpoint.origin || before.size > store.roots().size() ||
			prover.checkpoint(before.size).head != before.head)
			throw UnprovedError("the history does not go on from the checkpoint of @" +
				std::to_string(before.size) + " that was signed last; nothing is signed");
		if (before.size > generation)
			throw UnprovedError("@" + std::to_string(generation) + " comes before @" +
				std::to_string(before.size) + ", which was signed last; nothing is signed");
		if (before.size == generation)
			note = *last;
	}
	if (!note.is_signed_by(key.verifier()))
		note.sign(key);
	keep(store.paths(), note);
	return note;
}

static SignedNote get_last(const StorePaths &paths)
{
	const std::optional<SignedNote> last = find_signed_checkpoint(paths);
	if (!last)
		throw Error("no checkpoint was signed here yet; --sign=KEY signs one");
	return *last;
}

// Lines with signatures, as a witness answers; or a whole note with the same text.
static SignedNote cosign(const StorePaths &paths, const std::string &name)
{
	std::string text = text_in(name, max_note_size);
	const Lock lock = Lock::acquire(paths.lock());
	SignedNote note = get_last(paths);
	if (text.rfind("\xe2\x80\x94 ", 0) != 0) {
		const SignedNote other = SignedNote::parse(text);
		if (other.text != note.text)
			throw UnprovedError(
				quote(name) + " is of another checkpoint than the one that was signed last");
		text.erase(0, other.text.size() + 1);
	}
	const SignedNote added = SignedNote::parse(note.text + '\n' + text);
	for (const NoteSignature &signature : added.signatures) {
		const std::string line = signature.line();
		bool is_there = false;
		for (const NoteSignature &known : note.signatures)
			is_there = is_there || known.line() == line;
		if (!is_there)
			note.signatures.push_back(signature);
	}
	if (note.signatures.size() > max_note_signatures)
		throw Error("the checkpoint would have more than " + std::to_string(max_note_signatures) +
			" signatures");
	keep(paths, note);
	return note;
}

static int checkpoint(Options &options)
{
	std::optional<std::string> key, signatures;
	bool is_last = false;
	std::vector<std::string> names;
	options.value("sign", 0, key, "FILE", "sign it with this secret key, and remember it")
		.flag("last", 0, is_last, "the one that was signed last")
		.value("cosign", 0, signatures, "FILE",
			"add what witnesses say to the one that was signed last")
		.positional(names, 0, 1)
		.parse();
	if (key.has_value() + is_last + signatures.has_value() > 1 ||
		(!names.empty() && (is_last || signatures)))
		throw UsageError("these options do not go together");
	const StorePaths paths = get_store();
	if (is_last) {
		print(get_last(paths));
	} else if (signatures) {
		print(cosign(paths, *signatures));
	} else {
		Store store(paths);
		Prover prover(store);
		const std::uint64_t generation =
			store.resolve(names.empty() ? "HEAD" : names[0]).generation;
		print(key ? sign(store, prover, generation,
						SignerKey::parse(text_in(*key, 4096), origin_of(store.id())))
				  : SignedNote{prover.checkpoint(generation).text(), {}});
	}
	return exit_status::done;
}

int dig_checkpoint_main(int argc, char **argv) { return run(argc, argv, usage, checkpoint); }
