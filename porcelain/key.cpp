// dig key: keys that sign checkpoints.
#include "libdig/os/publish.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/proof_reader.h"

using namespace dig;

static constexpr char usage[] = "dig-key new [--name=NAME] FILE\n"
								"dig-key show [--name=NAME] FILE|-";

static std::string default_name()
{
	if (const std::optional<StorePaths> paths = find_store())
		return origin_of(Store(*paths).id());
	throw UsageError(
		"--name is needed where there is no store; it is the origin of the checkpoints");
}

static void publish_new(const std::string &path, const std::string &text, unsigned mode)
{
	PublishedFile file(path);
	file.file().set_mode(mode);
	file.file().write(bytes_of(text));
	if (!file.publish_new())
		throw Error(quote(path) + " is there already; a key is not replaced");
}

static int key(Options &options)
{
	std::optional<std::string> name;
	std::vector<std::string> words;
	options
		.value(
			"name", 0, name, "NAME", "whose key it is; else the origin of this store's checkpoints")
		.positional(words, 2, 2)
		.parse();
	if (name && !is_key_name(*name))
		throw UsageError("a name has neither blanks nor '+': " + quote(*name));
	const std::string &file = words[1];
	if (words[0] == "new") {
		// Not one without the other.
		if (find_stat(file + ".pub"))
			throw Error(quote(file + ".pub") + " is there already; a key is not replaced");
		const SignerKey made{name ? *name : default_name(), SecretKey::random()};
		publish_new(file, made.text() + '\n', 0600);
		publish_new(file + ".pub", made.verifier().text() + '\n', 0644);
		standard_output().record(made.verifier().text());
	} else if (words[0] == "show") {
		// A key of dig has a name; one of signify gets it here.
		const std::string text = text_in(file, 4096);
		if (const std::optional<PublicKey> bare = parse_signify_public_key(text)) {
			standard_output().record(
				VerifierKey{name ? *name : default_name(), NoteKeyType::ed25519, *bare}.text());
		} else {
			SignerKey key = SignerKey::parse(text, "unnamed");
			if (name || key.name == "unnamed")
				key.name = name ? *name : default_name();
			standard_output().record(key.verifier().text());
		}
	} else {
		throw UsageError(quote(words[0]) + " is neither 'new' nor 'show'");
	}
	return exit_status::done;
}

int dig_key_main(int argc, char **argv) { return run(argc, argv, usage, key); }
