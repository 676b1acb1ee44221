from django.db import migrations, models


def some(apps, schema_editor):
    note = apps.get_model("notes", "Note")
    for number in range(1, 21):
        note.objects.create(text="note number %d" % number)


def visitors(apps, schema_editor):
    from django.contrib.auth.hashers import make_password

    user = apps.get_model("auth", "User")
    for number in range(16):
        user.objects.create(
            username="visitor%d" % number, password=make_password("secret")
        )


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.CreateModel(
            "Note",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.CharField(max_length=200)),
                ("added", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RunPython(some),
        migrations.RunPython(visitors),
    ]
