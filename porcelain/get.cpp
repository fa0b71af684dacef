// dig get finds the store that a URN names, and leaves the content to dig-cat.
#include <cstdlib>

#include "libdig/format/urn.h"
#include "libdig/os/output_file.h"
#include "libdig/store/state_names.h"
#include "libdig/store/store.h"
#include "libdig/store/stores_by_id.h"
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	
	"dig-get [-o FILE] [--range=a-b] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"        URN|ROOT:PATH|LAYER:PATH";

static Command cat_command(const std::optional<ByteRange> &range, const Report &report)
{
	Command cat = tool_command("cat");
	if (range)
		cat.push_back("--range=" + to_text(*range));
	report.pass_on(cat);
	return cat;
}

static int get_with(Command cat, const std::string &name, const std::optional<std::string> &file)
{
	cat.insert(cat.end(), {"--", name});
	if (!file)
		replace_process(cat);
	OutputFile target(*file);
	const int status = Child(cat, Child::inherit, target.file().fd()).wait_for_part();
	if (status == exit_status::done)
		target.finish();
	return status;
}

// ROOT:PATH, as for dig-cat; a URN and /PATH are none.
static bool is_state_path(const std::string &name)
{
	return !looks_like_urn(name) && !name.starts_with('/') && split_state_path(name);
}

static int get(Options &options)
{
	std::optional<std::string> file;
	std::optional<ByteRange> range;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.value("output", 'o', file, "FILE", "write there instead of to standard output")
		.value("range", 0, range, "a-b", "only these bytes, as in #bytes=a-b")
		.positional(names, 1, 1)
		.parse();
	if (layer_in(names[0]) || is_state_path(names[0]))
		return get_with(cat_command(range, report), names[0], file);
	const Urn urn = parse_urn(names[0]);
	if (urn.path.empty())
		throw Error(quote(names[0]) + " names a whole state; append the path of a file");
	if (urn.range && range)
		throw UsageError("the URN has a range already");
	if (urn.range)
		range = urn.range;
	const std::string store =
		urn.has_store ? find_store_by_id(urn.store_id) : get_store().store;
	::setenv("DIG_DIR", store.c_str(), 1);
	return get_with(cat_command(range, report), (urn.root ? to_hex(*urn.root) : "HEAD") + ":" + urn.path, file);
}

int dig_get_main(int argc, char **argv) { return run(argc, argv, usage, get); }
