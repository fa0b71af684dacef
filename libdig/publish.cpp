#include "libdig/publish.h"

#include <unistd.h>

#include "libdig/error.h"

namespace dig {

std::string directory_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

PublishedFile::PublishedFile(std::string path)
	: path_(std::move(path)), temporary_(path_ + ".tmp-" + std::to_string(::getpid())),
	  file_(File::open_with(temporary_, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW))
{
}

PublishedFile::~PublishedFile()
{
	if (!is_published_)
		::unlink(temporary_.c_str());
}

void PublishedFile::publish(Durability durability)
{
	if (durability != Durability::none)
		file_.sync_data();
	file_.close();
	rename_file(temporary_, path_);
	is_published_ = true;
	if (durability == Durability::file_and_directory)
		sync_directory(directory_of(path_));
}

void publish_file(const std::string &path, Bytes content)
{
	PublishedFile target(path);
	target.file().write(content);
	target.publish();
}

} // namespace dig
