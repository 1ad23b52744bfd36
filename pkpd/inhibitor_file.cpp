#include "keys.hpp"

#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/inhibitors.hpp>

#include <fmt/format.h>

#include <set>

namespace gemel::pkpd {
namespace {

io::Field share(const char* name, const char* example) {
    io::Field field =
        not_negative(required_key(name, "what is left of the activity score", example));
    field.at_most = 1.0;
    return field;
}

void describe_factors(io::Fields& fields, Inhibitors& inhibitors) {
    fields.number(share("strong", "0"), inhibitors.factors[0]);
    fields.number(share("moderate", "0.5"), inhibitors.factors[1]);
    fields.number(share("weak", "1"), inhibitors.factors[2]);
    fields.text(required_key("source", "whose convention", "\"…\""), inhibitors.factor_source);
    fields.text(required_key("confidence", "seen, derived or remembered", "\"seen\""),
                inhibitors.factor_confidence);
}

void describe_inhibitors_of(io::Fields& fields, std::map<std::string, int>& drugs) {
    for (int strength = 0; strength < 3; ++strength) {
        const std::string key(inhibitor_class_names[strength]);
        std::vector<std::string> names;
        fields.texts(optional_key(key, "drugs of this class", "[\"paroxetine\"]"), names);
        for (const std::string& drug : names)
            if (!drugs.emplace(drug, strength).second)
                fields.mistake(key, fmt::format("'{}' stands here twice", drug));
    }
}

void describe(io::Fields& fields, Inhibitors& inhibitors) {
    std::string format;
    fields.text(required_key("gemel", "what the file is; its first line", "\"inhibitors/1\""),
                format);
    fields.table(required_key("inhibitors", "where they are from", "{ … }"), [&](io::Fields& head) {
        head.text(required_key("source", "whose lists", "\"…\""), inhibitors.source);
        head.text(required_key("confidence", "seen, derived or remembered", "\"seen\""),
                  inhibitors.confidence);
        head.text(optional_key("about", "in words", "\"…\""), inhibitors.about);
    });
    fields.table(required_key("factors", "by class", "{ … }"),
                 [&](io::Fields& factors) { describe_factors(factors, inhibitors); });
    fields.keyed(required_key("enzymes", "drugs by class, per gene", "{ … }"),
                 [&](const std::string& enzyme, io::Fields& row) {
                     describe_inhibitors_of(row, inhibitors.enzymes[enzyme]);
                 });
}

} // namespace

std::map<std::string, int> Inhibitors::of(const std::string& drug) const {
    std::map<std::string, int> found;
    for (const auto& [enzyme, drugs] : enzymes)
        if (const auto at = drugs.find(drug); at != drugs.end()) found[enzyme] = at->second;
    return found;
}

std::vector<std::string> Inhibitors::drugs() const {
    std::set<std::string> names;
    for (const auto& [enzyme, drugs] : enzymes)
        for (const auto& [drug, strength] : drugs)
            names.insert(drug);
    return {names.begin(), names.end()};
}

std::shared_ptr<const Inhibitors> load_inhibitors(const std::filesystem::path& file,
                                                  sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "inhibitors/1", diagnostics);
    if (!root.is_set()) return nullptr;
    auto inhibitors = std::make_shared<Inhibitors>();
    io::read_fields(root, diagnostics, [&](io::Fields& fields) { describe(fields, *inhibitors); });
    return diagnostics.size() == n_before ? inhibitors : nullptr;
}

} // namespace gemel::pkpd
