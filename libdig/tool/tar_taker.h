// The members of a tar archive into the staging area, as they come from a pipe.
//
// Files go through the same pipeline as those of a work tree: small ones in batches, large ones read by
// the workers from the descriptor of the archive.  The rest is as the store has it:
//
//   * A hard link becomes an entry with the content, mode and time that the name it points to has just then.
//   * A directory becomes an entry only if nothing is below it in the end.
//   * Of members with one name the last one stays, as tar does it.
//
// Nothing that an archive says leads out of the directory that it goes to.  A '/' in front of a name is left
// away.  A name that no store may hold, a device or a FIFO is told of and passed over.
#ifndef DIG_TAR_TAKER_H
#define DIG_TAR_TAKER_H

#include <unordered_set>

#include "libdig/archive/tar_reader.h"
#include "libdig/format/sorted_texts.h"
#include "libdig/verbs/stage.h"

namespace dig {

class TarTaker {
public:
	// Members go below the stored path, "" for the top.  All must outlive this.
	TarTaker(Stage &stage, const File &input, std::string below);

	// All members, up to the end of the archive.  An Error for an archive that is damaged, after the members
	// before were submitted.
	void take_all();
	// Links and directories, whose entries depend on others.  Called in any case, before Stage::finish().
	void finish();
	// Members that should have become entries and did not.
	std::uint64_t refused_count() const { return refused_; }
	std::uint64_t taken_count() const { return member_ - refused_; } // and those that need no entry

private:
	struct Link {
		std::string path, target, shown;
	};

	void take(const TarMember &member);
	std::optional<std::string> stored(const std::string &name, const std::string &shown);
	void take_file(const TarMember &member, const std::string &path);
	void take_large(const TarMember &member, const std::string &path);
	void take_symlink(const TarMember &member, const std::string &path);
	void take_link(const TarMember &member, const std::string &path);
	void take_directory(const TarMember &member, const std::string &path);
	void end_directory();
	void put_directories();
	void put_directory(std::string_view text);
	void put_links();
	bool touches_links(const std::string &path) const;
	void refuse(const std::string &shown, const std::string &why);
	std::optional<std::int64_t> mtime_of(const TarMember &member) const;

	Stage &stage_;
	const File &input_;
	const std::string below_;
	TarReader archive_;
	bool is_whole_ = false; // the content of a large file came to its end
	bool is_absolute_told_ = false;
	std::uint64_t refused_ = 0, member_ = 0;

	// Links wait until there are many of them, or a member comes that changes what one of them means.
	std::vector<Link> links_;
	std::unordered_set<std::string> named_, above_; // paths of links and targets, and what is above these
	// A directory that may have members below it; and those that seem to have none.
	std::string directory_;
	std::string directory_text_;
	SortedTexts directories_;
};

} // namespace dig

#endif
