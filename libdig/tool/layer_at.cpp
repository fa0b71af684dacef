#include "libdig/tool/layer_at.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/fetch/url.h"
#include "libdig/os/process.h"
#include "libdig/remote/remote_ranges.h"
#include "libdig/tool/command.h"

namespace dig {

// Of a layer with hints, footer and hints lie in these last bytes.
constexpr std::uint64_t end_size = 48_KiB;

static bool is_layer_name(std::string_view name) { return name.ends_with(".dig") || name.ends_with(".merged"); }

std::optional<LayerName> layer_in(std::string_view name)
{
	std::size_t begin = 0;
	if (is_url(name))
		begin = name.find("://") + 3;
	else if (!is_layer_name(name.substr(0, name.find(':'))))
		return {};
	for (std::size_t end = begin; end != name.npos; begin = end + 1) {
		end = name.find(':', begin);
		const std::string_view place = name.substr(0, end);
		if (is_layer_name(place))
			return LayerName{std::string(place), std::string(end == name.npos ? "" : name.substr(end + 1))};
	}
	return {};
}

std::string require_layer(const std::string &name)
{
	const std::optional<LayerName> named = layer_in(name);
	if (!named || !named->path.empty())
		throw UsageError(quote(name) + " is no layer; a name of one ends with .dig or .merged");
	return named->place;
}

// The file at a URL.  Its end is known from the beginning.
class FileAtUrl : public ByteSource {
public:
	FileAtUrl(const std::string &url, std::uint64_t least_request)
		: ranges_([this, url] { return first_ ? std::move(first_) : start(url); }, "", 0, least_request)
	{
		const std::string shown = parse_url(url).shown();
		first_ = start(url);
		std::optional<RemoteObjects::Part> end;
		try {
			end = first_->get(last_part_key, 0, end_size);
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &error) {
			throw Error(quote(shown) + ": " + error.what(), exit_status::network);
		}
		if (!end)
			throw Error("there is nothing at " + quote(shown), exit_status::network);
		object_.size = end->total;
		end_ = end->bytes;
	}

	std::uint64_t size() const { return object_.size; }

	std::size_t read_at(MutableBytes buffer, std::uint64_t offset) override
	{
		// There is one version, as the footer shows; so this needs no request.
		const Preamble preamble = make_preamble(layer_magic);
		if (offset + buffer.size() <= sizeof preamble) {
			const Bytes bytes = raw_bytes(preamble).subspan(offset, buffer.size());
			std::copy(bytes.begin(), bytes.end(), buffer.begin());
			return buffer.size();
		}
		const std::uint64_t begin_of_end = object_.size - end_.size();
		if (offset > object_.size || buffer.size() > object_.size - offset)
			return 0;
		if (offset >= begin_of_end) {
			const Bytes bytes = Bytes(end_).subspan(offset - begin_of_end, buffer.size());
			std::copy(bytes.begin(), bytes.end(), buffer.begin());
			return buffer.size();
		}
		ranges_.read(object_, buffer, offset);
		return buffer.size();
	}

	void will_need(std::uint64_t offset, std::uint64_t size) override { ranges_.will_need(object_, offset, size); }
	void distrust(std::uint64_t offset, std::uint64_t size) override { ranges_.distrust(object_, offset, size); }

private:
	static std::unique_ptr<RemoteObjects> start(const std::string &url)
	{
		Command command = tool_command("remote-http");
		if (!find_stat(command[0]))
			throw Error("this dig was built without libcurl, and has no dig-remote-http");
		command.push_back("--object");
		return start_helper(command, url + "\n");
	}

	std::unique_ptr<RemoteObjects> first_; // until it is used for ranges
	PackElsewhere object_{};
	Buffer end_;
	RemoteRanges ranges_;
};

std::shared_ptr<Layer> open_layer_at(const std::string &place, bool is_for_all)
{
	if (!is_url(place))
		return std::make_shared<Layer>(place);
	const Url url = parse_url(place);
	if (url.scheme != Url::Scheme::http && url.scheme != Url::Scheme::https && url.scheme != Url::Scheme::s3)
		throw UsageError("parts of a layer can be had by http, https and s3 only");
	const auto source = std::make_shared<FileAtUrl>(place, is_for_all ? 4_MiB : 0);
	File file(-1, url.shown());
	file.read_from(source, 0);
	return std::make_shared<Layer>(std::move(file), source->size());
}

} // namespace dig
