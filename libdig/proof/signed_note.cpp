#include "libdig/proof/signed_note.h"

#include <algorithm>
#include <charconv>

#include "libdig/base/base64.h"
#include "libdig/base/cursor.h"
#include "libdig/base/utf8.h"
#include "libdig/format/layer_format.h"

namespace dig {

constexpr std::string_view private_prefix = "PRIVATE+KEY+", dash = "\xe2\x80\x94 ",
						   comment = "untrusted comment:";

static std::uint32_t big_endian(Bytes bytes)
{
	return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
		std::uint32_t(bytes[2]) << 8 | bytes[3];
}

static std::uint64_t big_endian_64(Bytes bytes)
{
	return std::uint64_t(big_endian(bytes)) << 32 | big_endian(bytes.subspan(4));
}

static Buffer big_endian_bytes(std::uint32_t value)
{
	return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
		static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

static Buffer typed(NoteKeyType type, Bytes key)
{
	Buffer bytes{static_cast<std::uint8_t>(type)};
	append(bytes, key);
	return bytes;
}

std::optional<std::uint64_t> parse_plain_number(std::string_view text)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
		(text[0] == '0' && text.size() > 1))
		return {};
	return value;
}

bool is_key_name(std::string_view name)
{
	return !name.empty() && name.size() <= 255 && is_utf8(name) &&
		std::none_of(name.begin(), name.end(),
			[](unsigned char c) { return c <= ' ' || c == '+' || c == 0x7f; });
}

// --- keys ---------------------------------------------------------------------------------------

std::uint32_t VerifierKey::id() const
{
	return big_endian(digest_of({bytes_of(name), bytes_of("\n"), Bytes(typed(type, key))}));
}

std::string VerifierKey::text() const
{
	return name + '+' + to_hex(big_endian_bytes(id())) + '+' + to_base64(typed(type, key));
}

namespace {

// "name+digits+base64", from either kind of key.
struct KeyText {
	std::string name;
	std::string digits;
	Buffer bytes;
};

} // namespace

static std::optional<KeyText> key_text(std::string_view text)
{
	const std::size_t first = text.find('+'),
					  second = first == text.npos ? first : text.find('+', first + 1);
	if (second == text.npos || !is_key_name(text.substr(0, first)))
		return {};
	std::optional<Buffer> bytes = from_base64(text.substr(second + 1));
	if (!bytes || bytes->empty())
		return {};
	return KeyText{std::string(text.substr(0, first)),
		std::string(text.substr(first + 1, second - first - 1)), *std::move(bytes)};
}

VerifierKey VerifierKey::parse(std::string_view text)
{
	const std::optional<KeyText> parts = key_text(text);
	if (!parts)
		throw Error(quote(text) + " is no key that verifies: NAME+ID+BASE64");
	const std::uint8_t type = parts->bytes[0];
	if ((type != 0x01 && type != 0x04) || parts->bytes.size() != 33)
		throw Error("the key of " + quote(parts->name) + " is of type " + std::to_string(type) +
			"; Ed25519 (1) and cosignatures by Ed25519 (4) are known");
	VerifierKey key{parts->name, static_cast<NoteKeyType>(type), {}};
	std::copy_n(parts->bytes.begin() + 1, 32, key.key.begin());
	if (to_hex(big_endian_bytes(key.id())) != parts->digits)
		throw Error(
			"the key of " + quote(parts->name) + " has another id than " + quote(parts->digits));
	return key;
}

std::string SignerKey::text() const
{
	return std::string(private_prefix) + name + '+' + to_hex(big_endian_bytes(verifier().id())) +
		'+' + to_base64(typed(NoteKeyType::ed25519, secret.seed()));
}

// The second line of a file of signify, if it has this size.
static std::optional<Buffer> signify_bytes(std::string_view text, std::size_t size)
{
	const std::size_t line = text.find('\n');
	if (text.substr(0, comment.size()) != comment || line == text.npos)
		return {};
	text.remove_prefix(line + 1);
	std::optional<Buffer> bytes = from_base64(text.substr(0, text.find('\n')));
	return bytes && bytes->size() == size && (*bytes)[0] == 'E' && (*bytes)[1] == 'd'
		? bytes
		: std::nullopt;
}

std::optional<PublicKey> parse_signify_public_key(std::string_view text)
{
	const std::optional<Buffer> bytes = signify_bytes(text, 42);
	if (!bytes)
		return {};
	PublicKey key;
	std::copy_n(bytes->begin() + 10, key.size(), key.begin());
	return key;
}

SignerKey SignerKey::parse(std::string_view text, std::string_view name)
{
	// "Ed", "BK", u32 rounds, 16 salt, 8 checksum, 8 key number, 64 secret key: the seed and the public key.
	if (const std::optional<Buffer> bytes = signify_bytes(text, 104)) {
		if (big_endian(Bytes(*bytes).subspan(4)) != 0)
			throw Error(
				"the key of signify has a passphrase; dig takes keys without one (signify -n)");
		return {std::string(name), SecretKey(Bytes(*bytes).subspan(40, 32))};
	}
	std::string_view line = text.substr(0, text.find('\n'));
	if (line.substr(0, private_prefix.size()) == private_prefix) {
		const std::optional<KeyText> parts = key_text(line.substr(private_prefix.size()));
		if (parts && parts->bytes.size() == 33 && parts->bytes[0] == 0x01) {
			SignerKey key{parts->name, SecretKey(Bytes(parts->bytes).subspan(1))};
			if (to_hex(big_endian_bytes(key.verifier().id())) == parts->digits)
				return key;
		}
	}
	// The text is secret, so it is not shown.
	throw Error("this is no key that signs; 'dig key new' makes one");
}

// --- notes --------------------------------------------------------------------------------------

std::string NoteSignature::line() const
{
	Buffer all = big_endian_bytes(id);
	append(all, bytes);
	return std::string(dash) + name + ' ' + to_base64(all) + '\n';
}

NoteSignature parse_note_signature(std::string_view line)
{
	const std::size_t blank = line.rfind(' ');
	if (line.substr(0, dash.size()) != dash || blank < dash.size() || blank == line.npos)
		throw UnprovedError("the note has a line that is no signature");
	const std::string_view name = line.substr(dash.size(), blank - dash.size());
	const std::optional<Buffer> bytes = from_base64(line.substr(blank + 1));
	if (!is_key_name(name) || !bytes || bytes->size() < 5)
		throw UnprovedError("the note has a signature that is none");
	return {std::string(name), big_endian(*bytes), Buffer(bytes->begin() + 4, bytes->end())};
}

SignedNote SignedNote::parse(std::string_view note)
{
	if (note.size() > max_note_size)
		throw UnprovedError("the note is too long");
	if (!is_utf8(note) ||
		std::any_of(note.begin(), note.end(), [](unsigned char c) { return c < ' ' && c != '\n'; }))
		throw UnprovedError("the note has bytes that no note has");
	// The last empty line: text may have others.
	const std::size_t gap = note.rfind("\n\n");
	if (gap == note.npos || gap == 0 || note.back() != '\n')
		throw UnprovedError("the note has no empty line behind its text");
	SignedNote parsed{std::string(note.substr(0, gap + 1)), {}};
	for (std::string_view left = note.substr(gap + 2); !left.empty();) {
		const std::size_t end = left.find('\n');
		if (parsed.signatures.size() == max_note_signatures)
			throw UnprovedError("the note has too many signatures");
		parsed.signatures.push_back(parse_note_signature(left.substr(0, end)));
		left.remove_prefix(end + 1);
	}
	return parsed;
}

std::string SignedNote::encoded() const
{
	std::string note = text + '\n';
	for (const NoteSignature &signature : signatures)
		note += signature.line();
	return note;
}

void SignedNote::sign(const SignerKey &key)
{
	const Signature signature = key.secret.sign(bytes_of(text));
	signatures.push_back(
		{key.name, key.verifier().id(), Buffer(signature.begin(), signature.end())});
}

static bool holds(const VerifierKey &key, std::string_view text, Bytes bytes)
{
	std::string message(text);
	if (key.type == NoteKeyType::cosignature) {
		if (bytes.size() != 72 || bytes[0] & 0x80)
			return false;
		message = "cosignature/v1\ntime " + std::to_string(big_endian_64(bytes)) + '\n' + message;
		bytes = bytes.subspan(8);
	}
	Signature signature;
	if (bytes.size() != signature.size())
		return false;
	std::copy_n(bytes.begin(), signature.size(), signature.begin());
	return verify_signature(key.key, bytes_of(message), signature);
}

bool SignedNote::is_signed_by(const VerifierKey &key) const
{
	bool is_signed = false;
	for (const NoteSignature &signature : signatures)
		if (signature.name == key.name && signature.id == key.id()) {
			if (!holds(key, text, signature.bytes))
				throw UnprovedError("the signature of " + quote(key.name) + " is wrong");
			is_signed = true;
		}
	return is_signed;
}

// --- checkpoints --------------------------------------------------------------------------------

std::string origin_of(const Digest &store_id) { return "urn:dig:chia:" + to_hex(store_id); }

std::string Checkpoint::text() const
{
	return origin + '\n' + std::to_string(size) + '\n' + to_base64(head) + '\n';
}

Checkpoint Checkpoint::parse(std::string_view text)
{
	std::string_view lines[3];
	for (std::string_view &line : lines) {
		const std::size_t end = text.find('\n');
		if (end == text.npos)
			throw UnprovedError("the checkpoint has less than three lines");
		line = text.substr(0, end);
		text.remove_prefix(end + 1);
	}
	if (!text.empty())
		throw UnprovedError("the checkpoint has lines that dig does not know");
	const std::optional<std::uint64_t> size = parse_plain_number(lines[1]);
	const std::optional<Buffer> head = from_base64(lines[2]);
	if (!is_key_name(lines[0]) || !size || *size == 0 || *size >> 62 || !head ||
		head->size() != sizeof(Digest))
		throw UnprovedError(
			"the checkpoint is none: it has an origin, a size from 1, and a tree head");
	return {std::string(lines[0]), *size, Cursor(*head, "").digest()};
}

Digest Checkpoint::root() const { return root_of_head(size, head); }

} // namespace dig
