// Compares content with what is proved of it, in one reading and constant memory: less than 1 MiB, and a chunk where
// a whole file without a block tree is cut again.
#ifndef DIG_CONTENT_CHECK_H
#define DIG_CONTENT_CHECK_H

#include <functional>

#include "libdig/proof/inner_proof.h"

namespace dig {

// Some bytes into the buffer, and how many they are; 0 at the end.
using ReadContent = std::function<std::size_t(MutableBytes)>;

// The content is that of data_begin to data_begin + data_size: UnprovedError if not, or if it is longer or shorter.
// take, if it is set, gets it in order; nothing of it is proved before this function returns.
void check_content(const InnerProof &proof, const ReadContent &read,
	const std::function<void(Bytes)> &take = nullptr);

} // namespace dig

#endif
