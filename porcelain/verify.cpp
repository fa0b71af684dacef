// dig verify is dig-verify-proof; in a store whose history has what the proof leads to, nobody else has to be
// believed.
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/proof_reader.h"

using namespace dig;

static constexpr char usage[] =
	"dig-verify [-q] [--root=ROOT] [--key=KEY]... [--policy=FILE]\n"
	"           [--path=PATH] [--range=a-b] [--older-root=HEX] [--data=FILE|-]\n"
	"           PROOF|-";

static int verify(Options &options)
{
	TrustOptions believed;
	std::optional<std::string> data;
	std::vector<std::string> names;
	believed.add_to(options)
		.value("data", 0, data, "FILE", "compare this content, too; - is standard input")
		.positional(names, 1, 1)
		.parse();
	Trust trust = believed.trust(
		[](const std::string &name) { return Store(get_store()).resolve(name).root; });
	if (!trust.is_given())
		trust.is_in_history = [](const Checkpoint &checkpoint) {
			const Store store(get_store());
			return checkpoint.size <= store.roots().size() &&
				store.roots().at(checkpoint.size).root == checkpoint.root();
		};
	return read_proof(names[0], trust, data, options.is_quiet());
}

int dig_verify_main(int argc, char **argv) { return run(argc, argv, usage, verify); }
