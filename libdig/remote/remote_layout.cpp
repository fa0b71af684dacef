#include "libdig/remote/remote_layout.h"

#include <algorithm>

#include "libdig/base/cursor.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::string_view description_magic = "DIGREMOT", record_magic = "DIGRTREC";
constexpr std::uint64_t range_size = 16_MiB;
constexpr std::size_t generation_digits = 20, max_packs = 1000000;

std::string pack_key(const Digest &pack_id) { return "packs/" + to_hex(pack_id); }

std::string root_key(std::uint64_t generation)
{
	const std::string number = std::to_string(generation);
	return roots_prefix + std::string(generation_digits - number.size(), '0') + number;
}

std::optional<std::uint64_t> generation_of_key(std::string_view key)
{
	if (!key.starts_with(roots_prefix))
		return {};
	key.remove_prefix(sizeof(roots_prefix) - 1);
	// The first digit is never needed, so that the number fits.
	if (key.size() != generation_digits || key[0] != '0' || key.find_first_not_of("0123456789") != key.npos)
		return {};
	return std::stoull(std::string(key));
}

Buffer get_part(RemoteObjects &objects, const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size)
{
	std::optional<RemoteObjects::Part> part = objects.get(pack_key(pack.id), offset, size);
	if (!part)
		throw Error("the pack " + to_hex(pack.id) + " is gone from the remote");
	if (part->total != pack.size || part->bytes.size() != size)
		throw CorruptError("the pack " + to_hex(pack.id) + " has another size than its record says");
	return std::move(part->bytes);
}

void copy_part(RemoteObjects &objects, const PackElsewhere &pack, std::uint64_t begin, std::uint64_t end,
	const File &file, Work &work)
{
	for (std::uint64_t at = begin; at < end;) {
		check_interrupted();
		const Buffer bytes = get_part(objects, pack, at, std::min(range_size, end - at));
		file.write_at(bytes, at);
		at += bytes.size();
		work.bytes.add(bytes.size());
	}
}

Buffer RemoteDescription::encoded() const
{
	Buffer body;
	append(body, store_id);
	append(body, chunking.encoded());
	return sealed_file(description_magic, body);
}

RemoteDescription RemoteDescription::decode(Bytes object, std::string_view name)
{
	Cursor cursor(open_sealed_file(object, description_magic, name), name, sizeof(Preamble));
	RemoteDescription description;
	description.store_id = cursor.digest();
	description.chunking = ChunkingParameters::decode(cursor.take(encoded_parameters_size), name);
	cursor.expect_end();
	return description;
}

Buffer RootRecord::encoded() const
{
	Buffer body;
	put_u8(body, is_dropped);
	append(body, root);
	append(body, nonce);
	put_u64(body, content_at);
	put_u32(body, static_cast<std::uint32_t>(packs.size()));
	for (const Pack &pack : packs) {
		append(body, pack.id);
		put_u64(body, pack.size);
	}
	append(body, state.encoded());
	return sealed_file(record_magic, body);
}

RootRecord RootRecord::decode(Bytes object, std::string_view name)
{
	Cursor cursor(open_sealed_file(object, record_magic, name), name, sizeof(Preamble));
	RootRecord record;
	const std::uint8_t flags = cursor.u8();
	if (flags > 1)
		cursor.fail("flags that are not known");
	record.is_dropped = flags == 1;
	record.root = cursor.digest();
	record.nonce = cursor.digest();
	record.content_at = cursor.u64();
	const std::size_t count = cursor.count(cursor.u32(), 40);
	if (count > max_packs)
		cursor.fail("too many packs");
	for (std::size_t i = 0; i < count; i++) {
		const Digest id = cursor.digest();
		record.packs.push_back({id, cursor.u64()});
	}
	record.state = LayerState::decode(cursor.take(cursor.left()), name, cursor.offset());
	return record;
}

std::optional<RemoteDescription> RemoteStore::description()
{
	if (description_)
		return description_;
	if (const std::optional<Buffer> object = objects_.get_small(description_key, 4096))
		description_ = RemoteDescription::decode(*object, description_key);
	return description_;
}

bool RemoteStore::describe(const RemoteDescription &description)
{
	return objects_.put_new(description_key, description.encoded());
}

std::vector<std::uint64_t> RemoteStore::generations_after(std::uint64_t generation)
{
	std::vector<std::uint64_t> found;
	objects_.list(roots_prefix, generation > 0 ? root_key(generation) : std::string(),
		[&](const std::string &key, std::uint64_t) {
			const std::optional<std::uint64_t> next = generation_of_key(key);
			if (!next || *next != generation + found.size() + 1)
				throw CorruptError("the remote has " + quote(key) + " where the record of @" +
					std::to_string(generation + found.size() + 1) + " should be");
			found.push_back(*next);
		});
	return found;
}

std::optional<RootRecord> RemoteStore::record(std::uint64_t generation)
{
	if (last_ && last_->state.header.generation == generation)
		return last_;
	const std::string key = root_key(generation);
	const std::optional<Buffer> object = objects_.get_small(key, max_root_record_size);
	if (!object)
		return {};
	RootRecord record = RootRecord::decode(*object, key);
	if (record.state.header.generation != generation)
		throw CorruptError("the object " + quote(key) + " is the record of another state");
	if (record.content_at == 0 || record.content_at > generation)
		throw CorruptError("the object " + quote(key) + " names a later state, or none, for its content");
	last_ = record;
	return record;
}

bool RemoteStore::add_record(const RootRecord &record)
{
	return objects_.put_new(root_key(record.state.header.generation), record.encoded());
}

} // namespace dig
