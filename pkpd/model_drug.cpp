#include "keys.hpp"
#include "model_words.hpp"

/// What drug a model is of, and what counts as its exposure: `[drug]`.
namespace gemel::pkpd {

void describe_drug(io::Fields& fields, ModelledDrug& drug) {
    fields.text(required_key("name", "as guidelines call it", "\"codeine\""), drug.name);
    fields.source(required_key("exposure",
                               "what a dose is judged by: an outcome of a study",
                               "\"auc(C_morphine, last_interval)\""),
                  drug.exposure);
    std::vector<DoseWords> usual;
    fields.list(
        required_key("usual", "the usual doses, as in a regimen", "[ { dose = \"30 mg\" } ]"),
        [&usual](io::Fields& dose) {
            describe_dose(dose, usual.emplace_back());
            if (usual.back().per) dose.mistake("dose", "usual doses are amounts, the same for all");
        });
    drug.usual = std::make_shared<const std::vector<DoseWords>>(std::move(usual));
    io::Field lasting = positive(required_key("duration", "of these doses", "\"48 h\""));
    fields.quantity(lasting, sim::time_dimension, drug.duration);
    fields.text(optional_key("about", "for whom, and why these doses", "\"…\""), drug.about);
}

} // namespace gemel::pkpd
