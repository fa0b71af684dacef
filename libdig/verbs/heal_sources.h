// Where lost items are looked for: directories, other stores, layer files.
#ifndef DIG_HEAL_SOURCES_H
#define DIG_HEAL_SOURCES_H

#include "libdig/verbs/heal.h"
#include "libdig/verbs/lost_items.h"

namespace dig {

class HealSources {
public:
	HealSources(LostItems &items, const HealOptions &options)
		: items_(items), store_(items.store()), options_(options)
	{
	}

	// What a lost layer said of its state, a copy of it or of the store says as well.
	void find_headers();
	// Takes what is lost and found.  SystemError for a source that is not there.
	void search();

private:
	void take_header(std::uint64_t generation, LayerState state);
	using Find = std::function<std::optional<Buffer>(ItemKind, const Digest &)>;
	void take_from(const Find &find);
	void search_layer(const std::string &path);
	void search_store(const std::string &path);
	void search_directory(const std::string &directory);
	using TakeFile = std::function<void(const std::string &, const FileStat &)>;
	void each_file(const std::string &directory, int depth, const TakeFile &take);
	void each_chunk(const File &file, const std::function<void(Bytes)> &take);
	void look_into(const std::string &path, FileType type);
	bool has_lost_part(const File &file);
	void take_parts(const File &file);

	LostItems &items_;
	Store &store_;
	const HealOptions &options_;
	Buffer window_;
};

} // namespace dig

#endif
