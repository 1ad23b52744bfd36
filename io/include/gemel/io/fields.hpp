#pragma once

#include <gemel/io/toml.hpp>
#include <gemel/sim/units.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

/// One description of a table's keys serves reading, checking and documentation: a floor writes
/// `void describe(io::Fields& f, SaveOptions& o) { f.quantity({"every", "…"}, sim::time_dimension,
/// o.every); }` and a FieldReader fills it from TOML while a FieldLister writes the reference page.
namespace gemel::io {

struct Field {
    std::string name;
    std::string about = {}; ///< one line for the reference
    bool required = false;
    std::string example = {}; ///< as it would stand after `=`, for messages and the reference
    double at_least = -std::numeric_limits<double>::infinity(); ///< of the number as read
    double at_most = std::numeric_limits<double>::infinity();
    bool exclusive = false; ///< at_least and at_most themselves are out of range
};

class Fields {
public:
    virtual ~Fields() = default;

    virtual void text(const Field& field, std::string& value) = 0;
    virtual void texts(const Field& field, std::vector<std::string>& values) = 0;
    virtual void number(const Field& field, double& value) = 0; ///< a bare number
    virtual void integer(const Field& field, std::int64_t& value) = 0;
    virtual void flag(const Field& field, bool& value) = 0;
    /// One of a few words; `chosen` is the index, unchanged if absent.
    virtual void choice(const Field& field, const std::vector<std::string>& words, int& chosen) = 0;
    /// "24 h": a number with a unit of this dimension. at_least/at_most are in coherent units.
    virtual void
    quantity(const Field& field, const sim::Dimension& dimension, sim::Quantity& value) = 0;
    virtual void quantities(const Field& field,
                            const sim::Dimension& dimension,
                            std::vector<sim::Quantity>& values) = 0;
    virtual void unit(const Field& field, sim::Unit& value) = 0;
    /// An expression or equations, kept as text with its place.
    virtual void source(const Field& field, sim::SourceText& value) = 0;

    using Describe = std::function<void(Fields&)>;
    using DescribeKeyed = std::function<void(const std::string& key, Fields&)>;
    virtual void table(const Field& field, const Describe& describe) = 0; ///< { … } or [name]
    virtual void keyed(const Field& field,
                       const DescribeKeyed& describe) = 0;               ///< [name.KEY], file order
    virtual void list(const Field& field, const Describe& describe) = 0; ///< [[name]] or [ {…}, … ]
    /// A value of several possible shapes: the callback gets the view and reports mistakes itself.
    /// `shapes` describes them in words for the reference.
    virtual void any(const Field& field,
                     const std::string& shapes,
                     const std::function<void(const TomlView&)>& read) = 0;

    /// Whether a key stands in this table (false while listing).
    virtual bool has(const std::string& name) const = 0;
    /// Where the key's value (or, without a name, the table) stands, for checks after reading.
    virtual sim::SourceSpan span(const std::string& name = {}) const = 0;
    /// A mistake found after reading; nothing while listing.
    virtual void mistake(const std::string& name, std::string message, std::string help = {}) = 0;
    /// Exactly one of these keys must stand here, or at most one.
    virtual void one_of(const std::vector<std::string>& names, bool required) = 0;
    virtual bool is_listing() const = 0;
};

/// Reads a table by its description; afterwards every key not described is a mistake with the
/// nearest known name. A duplicate report for one key is avoided.
void read_fields(const TomlView& table,
                 sim::DiagnosticList& diagnostics,
                 const Fields::Describe& describe);

/// One row per key, depth first: what the reference pages and the tests of bad input are made from.
struct FieldRow {
    std::string path; ///< "regimens.NAME.doses[].every"
    std::string type; ///< "quantity of time", "text", "one of a|b", …
    Field field;
};
std::vector<FieldRow> list_fields(const Fields::Describe& describe);
/// The reference page of a grammar as Markdown.
std::string reference_page(const std::string& title, const std::vector<FieldRow>& rows);

} // namespace gemel::io
