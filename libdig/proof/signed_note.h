// Signed notes (c2sp.org/signed-note), their keys, and checkpoints (c2sp.org/tlog-checkpoint).
//
//     origin                         the log: urn:dig:chia:<store id>
//     size                           states
//     base64 of the tree head        MTH(layer ids 1 to size)
//                                    an empty line
//     — name base64(key id ‖ signature)     one for each who signs
//
// All text here comes from somebody else, and is bounded before it is read.
#ifndef DIG_SIGNED_NOTE_H
#define DIG_SIGNED_NOTE_H

#include <optional>
#include <string>
#include <vector>

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/base/signature.h"

namespace dig {

// A proof, or what it is made of, does not hold: status 5.
class UnprovedError : public Error {
public:
	explicit UnprovedError(const std::string &message) : Error(message, exit_status::unproved) {}
};

constexpr std::size_t max_note_size = 64_KiB, max_note_signatures = 100;

// Ed25519 over the text of a note; or over a checkpoint and the time of a witness (c2sp.org/tlog-cosignature).
enum class NoteKeyType : std::uint8_t { ed25519 = 0x01, cosignature = 0x04 };

// Whoever has it can verify: "<name>+<8 digits>+<base64>".
struct VerifierKey {
	std::string name;
	NoteKeyType type = NoteKeyType::ed25519;
	PublicKey key{};

	std::uint32_t id() const;
	std::string text() const;
	// Error for what is none, or is of a type that is not known here.
	static VerifierKey parse(std::string_view text);
};
// A key of a note has no blanks and no plus in its name.
bool is_key_name(std::string_view name);

// Whoever has it can sign: "PRIVATE+KEY+<name>+<8 digits>+<base64>", as Go's note package writes it.
struct SignerKey {
	std::string name;
	SecretKey secret;

	VerifierKey verifier() const { return {name, NoteKeyType::ed25519, secret.public_key()}; }
	std::string text() const;
	// The text of a file: such a line, or a secret key of signify that has no passphrase.  The name is that of the
	// line; signify's keys have none, and get this one.
	static SignerKey parse(std::string_view text, std::string_view name);
};
// The public key in a file of signify; nothing if the text is none.
std::optional<PublicKey> parse_signify_public_key(std::string_view text);

struct NoteSignature {
	std::string name;
	std::uint32_t id = 0;
	Buffer bytes;
	std::string line() const;
};

struct SignedNote {
	std::string text; // ends with a newline
	std::vector<NoteSignature> signatures;

	// UnprovedError for what is no note.  A note without a signature is taken, too.
	static SignedNote parse(std::string_view note);
	std::string encoded() const;
	void sign(const SignerKey &key);
	// A key with this name and id has signed it; false if none is there, UnprovedError if one is there and is wrong.
	bool is_signed_by(const VerifierKey &key) const;
};
// "— name base64" lines.
NoteSignature parse_note_signature(std::string_view line);

struct Checkpoint {
	std::string origin;
	std::uint64_t size = 0;
	Digest head;

	std::string text() const;
	// UnprovedError for what is none.  Extension lines are refused: dig signs none.
	static Checkpoint parse(std::string_view text);
	// Of the state that it ends with: H(0x03 ‖ size ‖ head).
	Digest root() const;
};
std::string origin_of(const Digest &store_id);

// A line of decimal digits without leading zeros, as these formats have them.
std::optional<std::uint64_t> parse_plain_number(std::string_view text);

} // namespace dig

#endif
