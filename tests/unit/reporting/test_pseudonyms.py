from structnets.reporting.pseudonyms import People

NUMBERED = People(map(str, range(1, 10)), pseudonyms=True)


def test_people_called_by_numbers_leave_measured_values_alone():
    for said in (
        "similarity 0.4 is below 0.5",
        "2.5% of the brain cut off, more than 5%",
        "7 % is cut off, voxels of 2 mm",
        "3,5 is no number",
    ):
        assert NUMBERED(said) == said


def test_people_called_by_numbers_have_pseudonyms_everywhere_else():
    said = NUMBERED("is another scan of 7: 7_run-2.nii is used, not 7.1.nii; sub-7, 7.")
    assert said == (
        "is another scan of person-7: person-7_run-person-2.nii is used, not person-7.1.nii; "
        "sub-person-7, person-7."
    )
    assert NUMBERED.left_out("7: 0.42") == "person-7"


def test_names_with_letters_are_found_beside_any_sign():
    assert People(["P03", "P3"], pseudonyms=True)("P03.1 %, P3") == "person-1.1 %, person-2"
