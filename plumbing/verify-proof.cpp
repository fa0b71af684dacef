// dig-verify-proof: a program of its own, for people who have a proof and no store.
#include "libdig/tool/command.h"
#include "libdig/tool/proof_reader.h"

using namespace dig;

static constexpr char usage[] =
	"dig-verify-proof [-q] [--root=HEX] [--key=KEY]... [--policy=FILE]\n"
	"                 [--path=PATH] [--range=a-b] [--older-root=HEX]\n"
	"                 [--data=FILE|-] PROOF|-";

static int verify_proof_command(Options &options)
{
	TrustOptions believed;
	std::optional<std::string> data;
	std::vector<std::string> names;
	believed.add_to(options)
		.value("data", 0, data, "FILE", "compare this content, too; - is standard input")
		.positional(names, 1, 1)
		.parse();
	return read_proof(names[0], believed.trust(), data, options.is_quiet());
}

int dig_verify_proof_main(int argc, char **argv)
{
	return run(argc, argv, usage, verify_proof_command);
}
