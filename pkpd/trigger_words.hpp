#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/dosing.hpp>

#include <optional>

/// `when = "Cp < 2 mg/L"` in an entry of a regimen, and what belongs to it.
namespace gemel::pkpd {

/// The keys; fills `trigger` if `when` is there.
void describe_trigger(io::Fields& fields, std::optional<TriggerWords>& trigger);

} // namespace gemel::pkpd
