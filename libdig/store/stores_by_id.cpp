#include "libdig/store/stores_by_id.h"

#include <algorithm>
#include <cstdlib>

#include "libdig/os/file.h"
#include "libdig/store/store_paths.h"

namespace dig {

static bool is_store(const std::string &directory, const Digest &id)
{
	const std::optional<Buffer> text = find_whole_file(directory + "/store-id", 4096);
	return text && text_of(*text) == to_hex(id) + "\n";
}

std::string find_store_by_id(const Digest &id)
{
	if (const std::optional<StorePaths> here = find_store())
		if (is_store(here->store, id))
			return here->store;
	const char *listed = std::getenv("DIG_STORES");
	for (std::string_view rest = listed ? listed : ""; !rest.empty();) {
		const std::size_t end = std::min(rest.find(':'), rest.size());
		const std::string directory(rest.substr(0, end));
		rest.remove_prefix(std::min(end + 1, rest.size()));
		for (const std::string &candidate : {directory, directory + "/.dig", directory + "/" + to_hex(id)})
			if (!directory.empty() && is_store(candidate, id))
				return candidate;
	}
	const char *data = std::getenv("XDG_DATA_HOME"), *home = std::getenv("HOME");
	const std::string base = data && *data ? data : home ? std::string(home) + "/.local/share" : "";
	std::string usual = base + "/dig/stores/" + to_hex(id);
	if (!base.empty() && is_store(usual, id))
		return usual;
	throw NoStoreError("no store with the id " + to_hex(id) +
		" is known here; DIG_STORES lists directories to look in");
}

} // namespace dig
