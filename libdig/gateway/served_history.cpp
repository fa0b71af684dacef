#include "libdig/gateway/served_history.h"

#include "libdig/gateway/url_query.h"
#include "libdig/verbs/history_tiles.h"
#include "libdig/verbs/prover.h"

namespace dig {

static HttpAnswer served(std::string text, const char *type, bool is_permanent)
{
	HttpAnswer answer;
	answer.set("Content-Type", type);
	answer.set("Cache-Control", is_permanent ? "public, max-age=31536000, immutable" : "no-cache");
	answer.text = std::move(text);
	return answer;
}

constexpr const char *plain = "text/plain; charset=utf-8";

std::optional<HttpAnswer> served_history(Store &store, std::string_view target)
{
	if (target == "/checkpoint") {
		if (const std::optional<SignedNote> note = find_signed_checkpoint(store.paths()))
			return served(note->encoded(), plain, false);
		if (store.roots().size() == 0)
			return plain_answer(http_status::not_found, "nothing is committed yet");
		return served(
			SignedNote{Prover(store).checkpoint(store.roots().size()).text(), {}}.encoded(), plain,
			false);
	}
	if (!target.starts_with("/tile/"))
		return {};
	const std::optional<TileName> name = parse_tile_name(target.substr(1));
	const std::optional<Buffer> tile = name ? tile_of(store.roots(), *name) : std::nullopt;
	if (!tile)
		return plain_answer(http_status::not_found, "the history has no such tile");
	return served(std::string(text_of(*tile)), "application/octet-stream", true);
}

std::optional<std::string> wished_proof(std::string_view query)
{
	if (query == "proof" || query.starts_with("proof&") || query.find("&proof&") != query.npos ||
		query.ends_with("&proof"))
		return "";
	return query_value(query, "proof");
}

HttpAnswer served_proof(
	Store &store, std::uint64_t generation, const std::string &path, const std::string &wish)
{
	Prover prover(store);
	// The one that was signed convinces more people, if it has the state.
	if (const std::optional<SignedNote> note = find_signed_checkpoint(store.paths()))
		if (Checkpoint::parse(note->text).size >= generation)
			prover.set_note(*note);
	std::optional<ByteRange> range;
	if (!wish.empty() && wish != "absent" && !(range = parse_byte_range(wish)))
		return plain_answer(
			http_status::bad_request, "behind 'proof=' there must be a range a-b, or 'absent'");
	try {
		const Prover::Proof proof = path.empty() ? prover.prove_state(generation)
			: wish == "absent"                   ? prover.prove_absence(generation, path)
												 : prover.prove_path(generation, path, range);
		return served(proof.text, plain, false);
	} catch (const NegativeAnswer &error) {
		return plain_answer(http_status::not_found, error.what());
	} catch (const UnprovedError &error) {
		// Of the checkpoint that lies in the store.
		return plain_answer(http_status::unavailable, error.what());
	} catch (const CorruptError &) {
		throw;
	} catch (const DroppedState &) {
		throw;
	} catch (const Error &error) {
		return plain_answer(http_status::bad_request, error.what());
	}
}

} // namespace dig
